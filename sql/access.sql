-- Who may do what: nothing for everyone, and power only for superusers.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.create();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM pgbackup.backups;
RESET ROLE;
GRANT USAGE ON SCHEMA pgbackup TO pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.create();
SELECT count(*) FROM pgbackup.list();
CALL pgbackup.run();
RESET ROLE;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pgbackup TO pgbackup_regress_nobody;
SET ROLE pgbackup_regress_nobody;
SELECT pgbackup.create();
\echo :LAST_ERROR_SQLSTATE
SELECT pgbackup.restore(1, 'x');
SELECT pgbackup.undo_restore(1);
SELECT pgbackup.delete(1);
SELECT pgbackup.cancel(1);
SELECT pgbackup.copy(1, 'file:///x');
SELECT pgbackup.pin(1);
CALL pgbackup.run();
SELECT count(*) > 0 AS may_look FROM pgbackup.list();
RESET ROLE;
-- The owner's rights cannot be turned against the owner by a function of the same name.
CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'hijacked' $$;
SET search_path = public, pg_catalog;
SELECT pgbackup.restore(NULL, 'x');
RESET search_path;
DROP FUNCTION public.format(text, text[]);
REVOKE ALL ON ALL ROUTINES IN SCHEMA pgbackup FROM pgbackup_regress_nobody;
REVOKE ALL ON SCHEMA pgbackup FROM pgbackup_regress_nobody;
DROP ROLE pgbackup_regress_nobody;
-- Cleaning up after all tests.
DROP DATABASE pgbackup_regress_source;
