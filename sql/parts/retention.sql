--
-- Retention (src/core/retention, src/pg/sql_retention.cpp)
--

CREATE FUNCTION pgbackup._lock_days(storage text) RETURNS int
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN $1 LIKE 's3://%' AND mode <> '' THEN coalesce(nullif(days, ''), '0')::int ELSE 0 END
      FROM (VALUES (coalesce(substring($1 FROM '[?&]object_lock_mode=([^&]*)'), current_setting('pgbackup.s3_object_lock_mode')),
                    coalesce(substring($1 FROM '[?&]object_lock_days=([^&]*)'), current_setting('pgbackup.s3_object_lock_days'))))
           AS s (mode, days)
$$;
COMMENT ON FUNCTION pgbackup._lock_days(text) IS 'internal: for how many days what is written to a storage now cannot be removed';

CREATE FUNCTION pgbackup._retain_until(storage text, at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN max(pgbackup._lock_days(s.url)) > 0 THEN $2 + max(pgbackup._lock_days(s.url)) * interval '24 hours' END
      FROM (SELECT $1 UNION ALL SELECT * FROM pgbackup._wanted_copies($1)) AS s (url)
$$;
COMMENT ON FUNCTION pgbackup._retain_until(text, timestamptz) IS
    'internal: until when a backup of this moment in this storage, and its copies, cannot be removed; null when they can be';

CREATE FUNCTION pgbackup._plan_retention(OUT backup_id bigint, OUT kept boolean, OUT reason text, OUT suspicious boolean)
    RETURNS SETOF record
    LANGUAGE c VOLATILE ROWS 1000 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_plan_retention';
COMMENT ON FUNCTION pgbackup._plan_retention() IS 'internal: the completed backups, which of them retention keeps, and why';

CREATE FUNCTION pgbackup._removal_in_words(backup_id bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE WHEN d.message IS NULL THEN 'expired, its objects are being removed'
                           ELSE format('expired, but its objects could not be removed (attempt %s): %s', d.attempts, d.message) END,
                      '; ' ORDER BY d.run_id)
      FROM pgbackup.removals d WHERE $1 IN (d.run_id, d.backup_id) AND d.reason = 'expired'
$$;
COMMENT ON FUNCTION pgbackup._removal_in_words(bigint) IS 'internal: what is left to remove of an expired backup, null for nothing';

CREATE FUNCTION pgbackup.retention_plan()
    RETURNS TABLE (backup_id bigint, database name, schedule text, finished_at timestamptz, file_size bigint, action text, reason text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._require_server();
    RETURN QUERY
        SELECT b.id, b.database, b.schedule, b.finished_at, b.file_size, CASE WHEN p.kept OR NOT m.may THEN 'keep' ELSE 'delete' END,
               CASE WHEN p.kept OR m.may THEN p.reason ELSE format('another server may remove it, not this one (%s)', p.reason) END
          FROM pgbackup._plan_retention() p JOIN pgbackup.backups b ON b.id = p.backup_id
          JOIN (SELECT s.storage, pgbackup._may_remove(s.storage) AS may FROM (SELECT DISTINCT storage FROM pgbackup.backups) AS s) AS m
            ON m.storage = b.storage
        UNION ALL
        SELECT b.id, b.database, b.schedule, b.finished_at, b.file_size, 'delete', pgbackup._removal_in_words(b.id)
          FROM pgbackup.backups b WHERE b.status = 'expired' AND pgbackup._removal_in_words(b.id) IS NOT NULL
         ORDER BY 2, 4 DESC, 1 DESC;
END $$;
COMMENT ON FUNCTION pgbackup.retention_plan() IS
    'every completed backup, whether retention keeps or deletes it, and why; also those given up whose objects could not be removed yet';

CREATE FUNCTION pgbackup._expire(backup_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    doomed pgbackup.backups;
BEGIN
    -- Whoever holds the row restores, copies, pins or deletes it: it can wait.
    SELECT b.* INTO doomed FROM pgbackup.backups b
     WHERE b.id = backup_id AND b.status = 'completed' AND NOT b.pinned FOR UPDATE SKIP LOCKED;
    IF NOT FOUND
       OR EXISTS (SELECT FROM pgbackup.restores r WHERE r.backup_id = doomed.id AND r.status IN ('pending', 'in_progress'))
       OR EXISTS (SELECT FROM pgbackup.copies c WHERE c.backup_id = doomed.id AND c.status = 'in_progress') THEN
        RETURN false;
    END IF;
    -- Where another backup that is complete has the same folder, the objects are that one's.
    IF doomed.file_name IS NOT NULL
       AND NOT EXISTS (SELECT FROM pgbackup.backups o WHERE o.status = 'completed' AND o.id <> doomed.id
                          AND o.file_name = doomed.file_name) THEN
        INSERT INTO pgbackup.removals (run_id, storage, file_name, run_key, reason)
        VALUES (doomed.id, doomed.storage, doomed.file_name, doomed.run_key, 'expired')
        ON CONFLICT (run_id) DO NOTHING;
        INSERT INTO pgbackup.removals (run_id, backup_id, storage, file_name, run_key, reason)
        SELECT c.id, c.backup_id, c.storage, doomed.file_name, doomed.run_key,
               CASE c.status WHEN 'completed' THEN 'expired' ELSE 'unfinished' END
          FROM pgbackup.copies c WHERE c.backup_id = doomed.id AND c.started_at IS NOT NULL
        ON CONFLICT (run_id) DO NOTHING;
    END IF;
    DELETE FROM pgbackup.copies c WHERE c.backup_id = doomed.id;
    UPDATE pgbackup.backups b SET status = 'expired', expired_at = clock_timestamp(),
           message = concat_ws('; ', b.message, 'given up by retention') WHERE b.id = doomed.id;
    RETURN true;
END $$;
COMMENT ON FUNCTION pgbackup._expire(bigint) IS
    'internal: gives a backup up and queues the removal of its objects and copies; false when somebody uses it';

CREATE FUNCTION pgbackup._flag_small_backups() RETURNS SETOF pgbackup.backups
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.backups b
       SET message = concat_ws('; ', b.message, substring(p.reason FROM 'suspiciously small.*') || ', so older ones are kept'),
           hint = concat_ws(' ', b.hint, 'Find out whether data are missing. If not, SET pgbackup.min_size_ratio lower, or wait until this size is the usual one.')
      FROM pgbackup._plan_retention() p
     WHERE p.suspicious AND b.id = p.backup_id AND coalesce(b.message, '') NOT LIKE '%suspiciously small%'
    RETURNING b.*
$$;
COMMENT ON FUNCTION pgbackup._flag_small_backups() IS 'internal: says so in the rows of the newest backups that are suspiciously small, once';

CREATE FUNCTION pgbackup._forget_expired() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pgbackup.backups b
     WHERE b.status = 'expired' AND current_setting('pgbackup.history_days')::int > 0
       AND b.expired_at < now() - current_setting('pgbackup.history_days')::int * interval '24 hours'
       AND NOT EXISTS (SELECT FROM pgbackup.removals d WHERE b.id IN (d.run_id, d.backup_id));
    DELETE FROM pgbackup.slots t WHERE t.decided_at < now() - interval '35 days';
$$;
COMMENT ON FUNCTION pgbackup._forget_expired() IS
    'internal: deletes the rows of backups that expired longer ago than pgbackup.history_days and whose objects are gone, and what became of times of schedules more than 35 days ago';

CREATE FUNCTION pgbackup._apply_retention(dry_run boolean DEFAULT false)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    doomed record;
BEGIN
    RETURN QUERY SELECT b.id, b.file_name, pgbackup._removal_in_words(b.id), 'is being removed'
                   FROM pgbackup.backups b
                  WHERE b.status = 'expired' AND pgbackup._removal_in_words(b.id) IS NOT NULL ORDER BY b.id;
    FOR doomed IN SELECT b.id, b.file_name, p.reason
                    FROM pgbackup._plan_retention() p JOIN pgbackup.backups b ON b.id = p.backup_id
                   WHERE NOT p.kept AND pgbackup._may_remove(b.storage) ORDER BY b.id LOOP
        CONTINUE WHEN NOT dry_run AND NOT pgbackup._expire(doomed.id);
        RETURN QUERY SELECT doomed.id, doomed.file_name, doomed.reason,
                            CASE WHEN dry_run THEN 'would remove' ELSE 'is being removed' END;
    END LOOP;
    IF NOT dry_run THEN
        PERFORM pgbackup._forget_expired();
        PERFORM pgbackup._wake_launcher();
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._apply_retention(boolean) IS
    'internal: lets the backups expire that no rule keeps, or with dry_run only tells which; their objects are removed after the commit';
