-- Fills the catalog with a history: psql -v databases=2000 -v backups=400. Half of it has expired, a fiftieth has
-- failed; what there is has a copy, and every thirtieth backup was verified. The databases are rows of pg_database and no
-- more, so nothing may connect to them; it takes allow_system_table_mods = on.
INSERT INTO pg_database (oid, datname, datdba, encoding, datlocprovider, datistemplate, datallowconn, datconnlimit,
                         datfrozenxid, datminmxid, dattablespace, datcollate, datctype)
SELECT 100000 + i, 'db_' || i, d.datdba, d.encoding, d.datlocprovider, false, true, -1,
       d.datfrozenxid, d.datminmxid, d.dattablespace, d.datcollate, d.datctype
  FROM pg_database d, generate_series(1, :databases) AS i
 WHERE d.datname = 'postgres' AND 'db_' || i NOT IN (SELECT o.datname FROM pg_database o);
SET client_min_messages = warning;
TRUNCATE pgbackup.backups, pgbackup.restores CASCADE;
SET session_replication_role = replica;
INSERT INTO pgbackup.backups (
    database, storage, file_name, format, backup_type, schedule, slot, status, created_at, started_at, finished_at,
    expired_at, file_size, raw_size, database_size, system_identifier, database_oid, instance, run_key, checksum, server_version,
    options, manifest, verified_at)
SELECT 'db_' || d, 'file:///nowhere', format('cluster/db_%s/%s', d, i), 'parallel', 'scheduled', 'default', t.at,
       s.status, t.at, t.at, t.at + interval '1 minute', CASE s.status WHEN 'expired' THEN t.at + interval '200 days' END,
       1000000 + d * 1000 + i, 4000000 + d * 4000 + i * 4, 5000000,
       (SELECT c.system_identifier::text FROM pg_control_system() c), 100000 + d, 'abcdefgh', md5(format('%s %s', d, i)),
       md5(i::text) || md5(d::text), '15.0', '{"content": "all", "format": "auto", "jobs": 1, "compression": "zstd:3"}',
       jsonb_build_object('objects', repeat('data-000.dump.zst ', 10)), CASE WHEN i % 30 = 0 THEN t.at END
  FROM generate_series(1, :backups) AS i, generate_series(1, :databases) AS d,
       LATERAL (SELECT date_trunc('day', now()) - (:backups - i) * interval '1 day' + d * interval '1 second') AS t (at),
       LATERAL (SELECT CASE WHEN i % 50 = 7 THEN 'failed' WHEN i <= :backups / 2 THEN 'expired' ELSE 'completed' END) AS s (status);
INSERT INTO pgbackup.copies (backup_id, storage, status, attempts, started_at, finished_at, file_size)
SELECT b.id, 'file:///nowhere/else', 'completed', 1, b.started_at, b.finished_at, b.file_size FROM pgbackup.backups b WHERE b.status = 'completed';
INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, status, created_at, started_at, finished_at, options)
SELECT b.id, 'verify', b.database, b.database, 'completed', b.verified_at, b.verified_at, b.verified_at, '{"level": "archive"}'
  FROM pgbackup.backups b WHERE b.verified_at IS NOT NULL;
TRUNCATE pgbackup.slots;
INSERT INTO pgbackup.slots (schedule, slot, outcome, first_slot, decided_at, databases)
SELECT 'default', t.at, 'run', t.at, t.at, '*'
  FROM generate_series(0, :backups) AS i, LATERAL (SELECT date_trunc('minute', now()) - i * interval '1 hour') AS t (at)
 WHERE t.at > now() - interval '35 days';
RESET session_replication_role;
VACUUM ANALYZE;
TRUNCATE pgbackup._totals, pgbackup._changes;
SELECT pgbackup._recount(d.database) FROM (SELECT DISTINCT b.database FROM pgbackup.backups b) AS d;
VACUUM ANALYZE pgbackup._totals, pgbackup._changes;
