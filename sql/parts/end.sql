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
