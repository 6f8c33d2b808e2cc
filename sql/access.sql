-- Who may do what: nothing for everyone.
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
-- The owner's rights cannot be turned against the owner by a function of the same name.
CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT 'hijacked' $$;
SET search_path = public, pg_catalog;
SELECT pgbackup.restore(NULL, 'x');
RESET search_path;
DROP FUNCTION public.format(text, text[]);
REVOKE ALL ON SCHEMA pgbackup FROM pgbackup_regress_nobody;
DROP ROLE pgbackup_regress_nobody;
-- Cleaning up after all tests.
DROP DATABASE pgbackup_regress_source;
