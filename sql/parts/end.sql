--
-- All of it is the bootstrap superuser's, whoever creates it: the launcher runs it, and a role that is not a
-- superuser any more could replace what it owns
--

DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, r.rolname)
          FROM pg_proc p, pg_roles r WHERE p.pronamespace = 'pgbackup'::regnamespace AND r.oid = 10 AND p.proowner <> r.oid
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                      c.oid::regclass, r.rolname)
          FROM pg_class c, pg_roles r WHERE c.relnamespace = 'pgbackup'::regnamespace AND r.oid = 10 AND c.relowner <> r.oid
           AND c.relkind IN ('r', 'v', 'S')
        UNION ALL
        SELECT format('ALTER DOMAIN %s OWNER TO %I', t.oid::regtype, r.rolname)
          FROM pg_type t, pg_roles r WHERE t.typnamespace = 'pgbackup'::regnamespace AND r.oid = 10 AND t.typowner <> r.oid
           AND t.typtype = 'd'
        UNION ALL
        SELECT format('ALTER SCHEMA pgbackup OWNER TO %I', r.rolname)
          FROM pg_namespace n, pg_roles r WHERE n.nspname = 'pgbackup' AND r.oid = 10 AND n.nspowner <> r.oid
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;

--
-- Nothing is for everyone
--

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON SCHEMA pgbackup FROM PUBLIC;

SELECT pgbackup._wake_launcher();

DO $$
BEGIN
    IF NOT pgbackup._is_preloaded() THEN
        RAISE WARNING 'pgbackup is installed but not loaded by this server'
            USING HINT = 'Add to postgresql.conf: shared_preload_libraries = ''pgbackup'' and restart the server.';
    ELSIF current_setting('pgbackup.home_database') <> current_database() THEN
        RAISE WARNING 'pgbackup works from database "%", not from this one', current_setting('pgbackup.home_database')
            USING HINT = 'Set pgbackup.home_database in postgresql.conf and restart the server, or create the extension there.';
    END IF;
END $$;
