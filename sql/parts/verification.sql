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

CREATE FUNCTION pgbackup._start_proofs(OUT started bigint, OUT message text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    levels constant text[] := '{checksum,archive,restore}';
    level constant text := current_setting('pgbackup.verify_level');
BEGIN
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    SELECT n.id, 'verify', n.database, n.database,
           jsonb_build_object('level', n.level, 'jobs', current_setting('pgbackup.jobs')::int)
      FROM (SELECT DISTINCT ON (b.database) b.id, b.database, b.verified_level,
                   -- What this server has no key for it can only compare with the checksums.
                   CASE WHEN current_setting(CASE b.manifest->'encryption'->>'scheme' WHEN 'age-scrypt' THEN 'pgbackup.passphrase_file'
                                                 ELSE 'pgbackup.identity_file' END) = ''
                         AND b.manifest ? 'encryption' THEN 'checksum' ELSE level END AS level
              FROM pgbackup.backups b
             WHERE b.status = 'completed' ORDER BY b.database, b.id DESC) AS n
     WHERE coalesce(array_position(levels, n.verified_level), 0) < array_position(levels, n.level)
       AND NOT EXISTS (SELECT FROM pgbackup.restores r
                        WHERE r.backup_id = n.id AND r.mode = 'verify' AND r.status IN ('pending', 'in_progress'))
     ORDER BY n.database;
    GET DIAGNOSTICS started = ROW_COUNT;
    IF started = 0 THEN
        message := format('the newest backup of each database is proved (%s), or about to be', level);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._start_proofs() IS
    'internal: queues a verification of the newest complete backup of each database that is not proved at pgbackup.verify_level, or at level checksum where this server has no key to decrypt it; message says that there is none';

CREATE FUNCTION pgbackup._failed_proofs(databases name[]) RETURNS TABLE (database name, backup_id bigint, message text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.name, l.backup_id, l.message
      FROM unnest($1) AS d (name),
           LATERAL (SELECT r.backup_id, r.status, r.message
                      FROM pgbackup.restores r JOIN pgbackup.backups b ON b.id = r.backup_id AND b.status = 'completed'
                     WHERE r.database = d.name AND r.mode = 'verify' AND r.status IN ('completed', 'failed')
                     ORDER BY r.id DESC LIMIT 1) AS l
     WHERE l.status = 'failed'
$$;
COMMENT ON FUNCTION pgbackup._failed_proofs(name[]) IS
    'internal: those of the databases whose last verification failed, of those of backups that are still there';
