-- A restore into a new database; what cannot be restored is refused.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT (pgbackup.list('pgbackup_regress_source', 'completed', 1)).id AS backup \gset
CALL pgbackup.run_restore(:backup, 'pgbackup_regress_copy');
SELECT mode, database, target_database, status, message FROM pgbackup.restores ORDER BY id DESC LIMIT 1;
\c pgbackup_regress_copy
SELECT count(*), sum(square) FROM numbers;
SELECT indexdef FROM pg_indexes WHERE tablename = 'numbers';
\c postgres
SET client_min_messages = warning;
SELECT pgbackup.restore(:backup, 'postgres');
SELECT pgbackup.restore(:backup, 'template1');
SELECT pgbackup.restore(:backup, NULL);
SELECT pgbackup.restore(:backup, 'x', content => 'some');
SELECT pgbackup.restore(:backup, 'pgbackup_regress_copy') AS id \gset
SELECT pgbackup.wait(:id);
SELECT status, message ~ 'not empty' AS says_why, hint <> '' AS has_hint FROM pgbackup.restores WHERE id = :id;
DO $$
BEGIN
    PERFORM pgbackup.restore((pgbackup.list('pgbackup_regress_source', 'failed', 1)).id, 'y');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
END $$;
DROP DATABASE pgbackup_regress_copy;
