-- Checking the setup: shape, order, rights. No storage is set here.
\set SHOW_CONTEXT never
SELECT pg_get_function_result('pgbackup.check()'::regprocedure);
SELECT item, status FROM pgbackup.check() WHERE item <> 'schedule';
SELECT count(*) AS rows_that_do_not_help FROM pgbackup.check()
 WHERE detail IS NULL OR detail = '' OR (hint IS NULL) <> (status IN ('ok', 'skipped'));
SET client_min_messages = warning;
CREATE ROLE pgbackup_regress_nobody;
GRANT USAGE ON SCHEMA pgbackup TO pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.check();
RESET ROLE;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pgbackup TO pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.check();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pgbackup FROM pgbackup_regress_nobody;
REVOKE ALL ON SCHEMA pgbackup FROM pgbackup_regress_nobody;
DROP ROLE pgbackup_regress_nobody;
