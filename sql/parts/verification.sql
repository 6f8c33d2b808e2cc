--
-- Verifying
--

CREATE FUNCTION pgbackup.verify(backup_id bigint, level text DEFAULT 'checksum') RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    source pgbackup.backups;
    run_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('verify backup %s, level %s', backup_id, level));
    PERFORM pgbackup._check_choice('level', level, '{checksum,archive,restore}');
    source := pgbackup._restorable_backup(backup_id, 'verify');
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (backup_id, 'verify', source.database, source.database,
            jsonb_build_object('level', level, 'jobs', current_setting('pgbackup.jobs')::int))
    RETURNING id INTO run_id;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.verify(bigint, text) IS
    'asks for a proof that a completed backup is good; starts when the transaction commits. Level checksum reads every object, compares it with its SHA-256 and decompresses it; archive also has pg_restore read all of it and compares the tables of contents with the manifest; restore restores it into a database beside all others, which is then dropped. The row in pgbackup.restores (mode verify) tells the outcome, verified_at and verified_level of the backup the last good one. Returns the id of the run, for pgbackup.wait()';
