-- Checking the setup and cleaning up: shape, order, rights. No storage is set here.
\set SHOW_CONTEXT never
SELECT pg_get_function_result('pgbackup.check()'::regprocedure);
SELECT pg_get_function_result('pgbackup.cleanup(boolean)'::regprocedure);
SELECT item, status FROM pgbackup.check() WHERE item <> 'schedule';
SELECT count(*) AS rows_that_do_not_help FROM pgbackup.check()
 WHERE detail IS NULL OR detail = '' OR (hint IS NULL) <> (status IN ('ok', 'skipped'));
SELECT pgbackup.cleanup();
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.cleanup(NULL);
SELECT pgbackup._cleanup_age();
SELECT pgbackup._age_in_words(a::interval) FROM unnest('{7 days,1 day,3 hours,1 hour,90 seconds,0}'::text[]) AS a;
-- What an agent has found becomes rows.
SELECT file_name, reason, action, removable FROM pgbackup._leftovers(current_setting('pgbackup.storage'), '[
    {"folder": "a", "what": "uploads", "probe": false, "count": 1, "bytes": 0, "kept": null},
    {"folder": "a", "what": "uploads", "probe": false, "count": 2, "bytes": 0, "kept": null},
    {"folder": "a", "what": "objects", "probe": false, "count": 3, "bytes": 9, "kept": null},
    {"folder": "a", "what": "objects", "probe": false, "count": 1, "bytes": 9, "kept": "it is locked"},
    {"folder": "a", "what": "foreign", "probe": false, "count": 1, "bytes": 0, "kept": "not written by pgbackup"},
    {"folder": ".pgbackup-check/b", "what": "objects", "probe": true, "count": 1, "bytes": 9, "kept": null}]',
    '7 days', 'removed');
-- What the newest run has met of its storage: another clock, credentials that have expired.
BEGIN;
INSERT INTO pgbackup.backups (id, database, storage, format, status, started_at, finished_at, clock_skew, credentials_expire_at)
SELECT n - 10, 'met ' || n, 's3://bucket', 'custom', 'completed', now(), now(), skew::interval, now() + left_over::interval
  FROM (VALUES (1, '-60 s', '1 s'), (2, '61 s', NULL), (3, '-599 s', NULL), (4, '600 s', '-3 hours'), (5, NULL, '0'))
    AS m (n, skew, left_over);
SELECT p.* FROM pgbackup._backup_problems(ARRAY(SELECT ('met ' || n)::name FROM generate_series(1, 5) AS n)) AS p ORDER BY p.database, p.reason;
INSERT INTO pgbackup.backups (id, database, storage, format, status, message, started_at, clock_skew)
VALUES (-1, 'met 1', 's3://bucket', 'custom', 'failed', 'it broke', now(), '1 hour'), (-2, 'met 4', 'file:///x', 'custom', 'completed', NULL, now(), NULL);
SELECT p.* FROM pgbackup._backup_problems('{met 1,met 4}') AS p ORDER BY p.database, p.reason;
ROLLBACK;
-- The last time of a schedule, that very second included; a time that the clock skips in spring is right after it.
SELECT to_char(pgbackup._last_run(cron, zone, at::timestamptz) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS last
  FROM (VALUES ('0 4 1 * *', 'UTC', '2026-05-01 04:00+00'), ('0 4 1 * *', 'UTC', '2026-05-01 03:59:59+00'),
               ('30 2 * * *', 'Europe/Berlin', '2026-03-29 12:00+02'), ('30 2 * * *', 'Europe/Berlin', '2026-10-25 12:00+01'),
               ('0 0 29 2 *', 'UTC', '2027-06-01 00:00+00'), ('no cron', 'UTC', '2026-05-01 04:00+00')) AS t (cron, zone, at);
SET client_min_messages = warning;
CREATE ROLE pgbackup_regress_nobody;
GRANT USAGE ON SCHEMA pgbackup TO pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.check();
SELECT pgbackup.cleanup();
RESET ROLE;
REVOKE ALL ON SCHEMA pgbackup FROM pgbackup_regress_nobody;
DROP ROLE pgbackup_regress_nobody;
