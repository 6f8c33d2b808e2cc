-- Statistics, health, metrics and the page, over runs made up here.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET datestyle = iso;
BEGIN;
DELETE FROM pgbackup.backups;
DELETE FROM pgbackup.restores;
CREATE FUNCTION pg_temp.run(name, ago interval, status text, size bigint DEFAULT NULL, message text DEFAULT NULL, took interval DEFAULT '10 s')
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO pgbackup.backups (database, storage, format, status, file_size, raw_size, message, created_at, started_at, finished_at)
    VALUES ($1, 's3://somewhere?region=x', 'custom', $3, $4, 4 * $4, $5, now() - $2, now() - $2, now() - $2 + $6) $$;
-- Nothing yet.
SELECT count(*) FROM pgbackup.stats();
SELECT status, reasons FROM pgbackup.health() WHERE database = 'postgres';
-- One good backup, and a storage that is set for this transaction only in name.
SELECT pg_temp.run('postgres', '1 hour', 'completed', 1000);
SELECT status, reasons, last_backup = now() - interval '1 hour' AS last FROM pgbackup.health() WHERE database = 'postgres';
-- Too old.
UPDATE pgbackup.backups SET started_at = now() - interval '30 hours';
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
-- Failed since, once and thrice.
SELECT pg_temp.run('postgres', '50 min', 'completed', 1000);
SELECT pg_temp.run('postgres', '40 min', 'failed', NULL, 'disk full');
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
SELECT pg_temp.run('postgres', '30 min', 'failed', NULL, 'disk full') FROM generate_series(1, 2);
UPDATE pgbackup.backups SET sqlstate = '08006' WHERE id = (SELECT max(id) FROM pgbackup.backups);
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
-- Well again; then suspiciously small.
SELECT pg_temp.run('postgres', '20 min', 'completed', 1000) FROM generate_series(1, 2);
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
SELECT pg_temp.run('postgres', '10 min', 'completed', 400);
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
-- A copy that failed, a removal that is stuck.
INSERT INTO pgbackup.copies (backup_id, storage, status, message) SELECT max(id), 's3://elsewhere?region=x', 'failed', 'no room' FROM pgbackup.backups;
INSERT INTO pgbackup.removals (run_id, storage, file_name, reason, attempts, message, not_before)
VALUES (-1, 'file:///somewhere', 'x', 'deleted', 3, 'access denied', 'infinity');
SELECT reasons FROM pgbackup.health() WHERE database = 'postgres';
-- Numbers.
SELECT pg_temp.run('other', '3 days', 'expired', 2000, NULL, '1 s'), pg_temp.run('other', '2 days', 'cancelled');
\x on
SELECT * FROM pgbackup.stats('other') \gx
SELECT database, backups, completed, failed, success_rate, stored_bytes, average_size, average_duration, completed_24h, failed_24h, completed_7d,
       failed_7d, compression_ratio, throughput, throughput_trend, storage_used FROM pgbackup.stats('postgres') \gx
\x off
SELECT name, labels, value FROM pgbackup.metrics WHERE labels->>'database' = 'postgres' AND name !~ 'timestamp';
-- Names and messages are text, whatever they say.
SELECT pg_temp.run(E'a"b\\c\n<script>alert(1)</script>', '1 hour', 'failed', NULL, '<img src=x onerror=alert(1)> & ''quoted''');
SELECT line FROM regexp_split_to_table(pgbackup.metrics_text(), E'\n') AS line WHERE line ~ 'script' OR line ~ '^# .*pgbackup_runs ';
SELECT pgbackup.dashboard() ~ '<script|<img|onerror=alert\(1\)>' AS injected,
       pgbackup.dashboard() ~ '&lt;img src=x onerror=alert\(1\)&gt; &amp; &#39;quoted&#39;' AS escaped;
SELECT xml_is_well_formed_document(regexp_replace(regexp_replace(pgbackup.dashboard(), '<!DOCTYPE html>|<(meta|link)[^>]*>', '', 'g'), '<br>', '', 'g')) AS well_formed;
ROLLBACK;
-- Levels.
CREATE ROLE pgbackup_regress_viewer;
CREATE ROLE pgbackup_regress_operator;
CREATE ROLE pgbackup_regress_admin;
SELECT pgbackup.grant_access('pgbackup_regress_' || level, level) FROM unnest('{viewer,operator,admin}'::text[]) AS level;
SELECT pgbackup.grant_access('pgbackup_regress_viewer', 'boss');
SELECT pgbackup.grant_access('pgbackup_regress_nobody_at_all', 'viewer');
SELECT p.oid::regprocedure AS function,
       has_function_privilege('pgbackup_regress_viewer', p.oid, 'EXECUTE') AS viewer,
       has_function_privilege('pgbackup_regress_operator', p.oid, 'EXECUTE') AS operator,
       has_function_privilege('pgbackup_regress_admin', p.oid, 'EXECUTE') AS admin
  FROM pg_proc p WHERE p.pronamespace = 'pgbackup'::regnamespace AND (p.proname !~ '^_' OR has_function_privilege('pgbackup_regress_admin', p.oid, 'EXECUTE'))
 ORDER BY p.proname COLLATE "C";
SET ROLE pgbackup_regress_viewer;
SELECT count(*) >= 0 AS may FROM pgbackup.list();
SELECT count(*) >= 0 AS may FROM pgbackup.progress;
SELECT count(*) > 0 AS may FROM pgbackup.metrics;
SELECT count(*) > 0 AS may FROM pgbackup.health();
SELECT length(pgbackup.dashboard()) > 1000 AS may;
SELECT pgbackup.create();
DELETE FROM pgbackup.backups;
SET ROLE pgbackup_regress_operator;
SELECT pgbackup.cancel(-1);
SELECT pgbackup.create(storage => 'file:///anywhere');
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.restore(1, 'x');
SELECT pgbackup.grant_access('pgbackup_regress_operator', 'admin');
SET ROLE pgbackup_regress_admin;
SELECT pgbackup.restore(-1, 'x');
SELECT pgbackup.grant_access('pgbackup_regress_operator', 'admin');
RESET ROLE;
SELECT pgbackup.grant_access('pgbackup_regress_admin', 'viewer');
SELECT has_function_privilege('pgbackup_regress_admin', 'pgbackup.restore(bigint, name, boolean, boolean, text[], text[], text, int, text, boolean, text, text, boolean, text[], text[], text, text[])', 'EXECUTE') AS still;
SELECT pgbackup.grant_access('pgbackup_regress_' || level, 'none') FROM unnest('{viewer,operator,admin}'::text[]) AS level;
DROP ROLE pgbackup_regress_viewer, pgbackup_regress_operator, pgbackup_regress_admin;
