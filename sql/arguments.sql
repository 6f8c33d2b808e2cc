-- Bad arguments: a clear error with a SQLSTATE and a hint, and nothing is started.
\set SHOW_CONTEXT never
SELECT pgbackup.create();
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.create(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.create('no such database');
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.create('template0');
SELECT pgbackup.create(format => 'zip');
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.create(content => NULL);
SELECT pgbackup.create(content => 'everything');
SELECT pgbackup.create(compression => 'gzip:10');
SELECT pgbackup.create(jobs => -3);
SELECT pgbackup.create(jobs => 65);
SELECT pgbackup.create(storage => 'http://x');
SELECT pgbackup.create(schemas => '{}');
SELECT pgbackup.create(tables => '{a,NULL}');
SELECT pgbackup.create(schemas => '{a}', tables => '{b.c}');
SELECT pgbackup.create(label => E'two\nlines');
SELECT pgbackup.create(label => repeat('x', 201));
SELECT pgbackup.wait(NULL);
SELECT pgbackup.wait(999);
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.wait(1, '-1 second');
SELECT pgbackup.cancel(NULL);
SELECT pgbackup.cancel(999);
SELECT pgbackup.get(NULL);
SELECT pgbackup.get(999);
SELECT pgbackup.pin(999);
SELECT pgbackup.pin(999, NULL);
SELECT pgbackup.delete(999);
SELECT pgbackup.delete(NULL);
SELECT pgbackup.list(status => 'done');
SELECT pgbackup.list(max_rows => -1);
SELECT pgbackup.presign(NULL);
SELECT pgbackup.presign(999);
SELECT pgbackup.create(storage => 's3://bucket?nope=1');
SELECT pgbackup.copy(NULL, 'file:///x');
SELECT pgbackup.copy(999, 'file:///x');
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.restore(NULL, 'x');
SELECT pgbackup.restore(999, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.undo_restore(NULL);
SELECT pgbackup.undo_restore(999);
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.verify(NULL);
SELECT pgbackup.verify(999);
SELECT pgbackup.verify(999, 'hope');
SELECT pgbackup.import('ftp://x');
CALL pgbackup.run(jobs => 0);
CALL pgbackup.run_restore(999, 'x');
BEGIN;
CALL pgbackup.run();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pgbackup.wait(1);
ROLLBACK;
BEGIN;
SELECT pgbackup.create(label => 'not yet', storage => 'file:///nowhere') AS id \gset
SELECT pgbackup.wait(:id);
ROLLBACK;
SELECT count(*) AS started FROM pgbackup.backups;

-- What a storage URL says, and the settings where it says nothing.
SELECT option, pgbackup._s3_option('s3://bucket/p/?region=&object_lock_days=%39&tags=a%3Db', option)
  FROM unnest('{region,object_lock_days,tags,path_style,endpoint,concurrency,requester_pays}'::text[]) AS option;
SELECT pgbackup._s3_option('file:///a', 'region') IS NULL AS none;
SELECT pgbackup._s3_option('s3://bucket', 'nonsense');
SELECT url, pgbackup._storage_place(url), pgbackup._s3_bucket(url)
  FROM unnest('{s3://bucket/p/?region=x,s3://bucket,file:///a/b/,nothing?x}'::text[]) AS url;
SELECT pgbackup._lock_days('s3://bucket?object_lock_mode=governance&object_lock_days=%39'), pgbackup._lock_days('s3://bucket?object_lock_days=9');
