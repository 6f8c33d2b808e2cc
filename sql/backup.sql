-- A backup to a directory, and what the catalog says of it.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE DATABASE pgbackup_regress_source;
\c pgbackup_regress_source
CREATE TABLE numbers AS SELECT i, i * i AS square FROM generate_series(1, 1000) i;
CREATE INDEX ON numbers (square);
\c postgres
SET client_min_messages = warning;
SELECT 'file://' || current_setting('data_directory') || '/pgbackup_regress' AS store \gset
CALL pgbackup.run('pgbackup_regress_source', label => 'regression', storage => :'store');
SELECT database, status, backup_type, label, format, message, file_size > 0 AS stored, raw_size > file_size AS smaller,
       checksum ~ '^[0-9a-f]{64}$' AS checked, duration > interval '0' AS took_time, manifest IS NOT NULL AS has_manifest
  FROM pgbackup.latest('pgbackup_regress_source');
SELECT database, status FROM pgbackup.list('pgbackup_regress_source');
SELECT count(*) FROM pgbackup.list('pgbackup_regress_source', 'failed');
SELECT count(*) FROM pgbackup.progress;
SELECT pgbackup.create('pgbackup_regress_source', format => 'parallel', schemas => '{public}', storage => :'store') AS id \gset
SELECT pgbackup.wait(:id);
SELECT o->>'name' AS object, o->'sections' AS sections FROM pgbackup.get(:id) b, jsonb_array_elements(b.manifest->'objects') o ORDER BY 1;
\set VERBOSITY sqlstate
SELECT pgbackup.presign(:id);
\set VERBOSITY terse
-- A copy of it elsewhere.
SELECT pgbackup.copy(:id, :'store' || '_copy') AS copy \gset
SELECT pgbackup.wait(:copy);
SELECT c.status, c.attempts, c.message, c.file_size = b.file_size AS same_size, c.next_attempt_at
  FROM pgbackup.copies c JOIN pgbackup.backups b ON b.id = c.backup_id WHERE c.id = :copy;
\set VERBOSITY sqlstate
SELECT pgbackup.copy(:id, :'store' || '_copy/');
SELECT pgbackup.copy(:id, :'store');
SELECT pgbackup.copy(:id, NULL);
\set VERBOSITY terse
UPDATE pgbackup.copies SET status = 'pending' WHERE id = :copy;
-- Only the ways that the life of a run has are open.
UPDATE pgbackup.backups SET status = 'pending' WHERE id = :id;
UPDATE pgbackup.backups SET status = 'failed' WHERE id = :id;
SELECT pgbackup.cancel(:id);
SELECT pgbackup.create('pgbackup_regress_source', tables => '{public.no_such_table}', storage => :'store') AS id \gset
SELECT pgbackup.wait(:id);
SELECT status, message ~ 'no_such_table' AS names_the_table, hint <> '' AS has_hint FROM pgbackup.get(:id);
