--
-- Retention (src/shared/retention, src/pg/sql_retention.cpp)
--

CREATE FUNCTION pgbackup._lock_days(storage text) RETURNS int
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN pgbackup._s3_option($1, 'object_lock_mode') IS NULL THEN 0
                ELSE coalesce(pgbackup._s3_option($1, 'object_lock_days'), '0')::int END
$$;
COMMENT ON FUNCTION pgbackup._lock_days(text) IS 'internal: for how many days what is written to a storage now cannot be removed';

CREATE FUNCTION pgbackup._retain_until(storage text, at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN max(pgbackup._lock_days(s.url)) > 0 THEN $2 + max(pgbackup._lock_days(s.url)) * interval '24 hours' END
      FROM (SELECT $1 UNION ALL SELECT * FROM pgbackup._wanted_copies($1)) AS s (url)
$$;
COMMENT ON FUNCTION pgbackup._retain_until(text, timestamptz) IS
    'internal: until when a backup of this moment in this storage, and its copies, cannot be removed; null when they can be';

CREATE FUNCTION pgbackup._plan_retention(database name DEFAULT NULL, OUT backup_id bigint, OUT kept boolean, OUT reason text, OUT suspicious boolean)
    RETURNS SETOF record
    LANGUAGE c VOLATILE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS 'MODULE_PATHNAME', 'pgbackup_plan_retention';
COMMENT ON FUNCTION pgbackup._plan_retention(name) IS
    'internal: the completed backups of a database, or of all, which of them retention keeps, and why';

CREATE FUNCTION pgbackup._expired_leftovers() RETURNS TABLE (backup_id bigint, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(d.backup_id, d.run_id),
           string_agg(CASE WHEN d.message IS NULL THEN 'expired, its objects are being removed'
                           ELSE format('expired, but its objects could not be removed (attempt %s): %s', d.attempts, d.message) END,
                      '; ' ORDER BY d.run_id)
      FROM pgbackup.removals d WHERE d.reason = 'expired'
     GROUP BY coalesce(d.backup_id, d.run_id)
$$;
COMMENT ON FUNCTION pgbackup._expired_leftovers() IS 'internal: backups that retention has given up and whose objects are not all removed yet, with a description';

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
        SELECT b.id, b.database, b.schedule, b.finished_at, b.file_size, 'delete', l.reason
          FROM pgbackup._expired_leftovers() AS l JOIN pgbackup.backups b ON b.id = l.backup_id AND b.status = 'expired'
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

CREATE FUNCTION pgbackup._flag_small_backup(backup_id bigint, reason text) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.backups b
       SET message = concat_ws('; ', b.message, s.finding || ', so older ones are kept'),
           hint = concat_ws(' ', b.hint, 'Find out whether data are missing. If not, SET pgbackup.min_size_ratio lower, or wait until this size is the usual one.')
      FROM (SELECT substring($2 FROM 'suspiciously small.*')) AS s (finding)
     WHERE b.id = $1 AND coalesce(b.message, '') NOT LIKE '%suspiciously small%'
    RETURNING s.finding
$$;
COMMENT ON FUNCTION pgbackup._flag_small_backup(bigint, text) IS
    'internal: says in the row of a backup that it is suspiciously small, once; returns what the plan says of it, null if the row says so already';

CREATE FUNCTION pgbackup._forget_expired(most int DEFAULT NULL) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH forgotten AS (
        DELETE FROM pgbackup.backups b USING (
            SELECT e.id FROM pgbackup.backups e
             WHERE e.status = 'expired' AND current_setting('pgbackup.history_days')::int > 0
               AND e.expired_at < now() - current_setting('pgbackup.history_days')::int * interval '24 hours'
               AND NOT EXISTS (SELECT FROM pgbackup.removals d WHERE d.run_id = e.id)
               AND NOT EXISTS (SELECT FROM pgbackup.removals d WHERE d.backup_id = e.id)
             ORDER BY e.expired_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS old
         WHERE b.id = old.id RETURNING b.id),
    settled AS (
        DELETE FROM pgbackup.slots t USING (
            SELECT s.schedule, s.slot, s.outcome FROM pgbackup.slots s
             WHERE s.decided_at < now() - interval '35 days' ORDER BY s.decided_at LIMIT $1) AS old
         WHERE (t.schedule, t.slot, t.outcome) = (old.schedule, old.slot, old.outcome) RETURNING t.slot)
    SELECT (SELECT count(*) FROM forgotten) + (SELECT count(*) FROM settled)
$$;
COMMENT ON FUNCTION pgbackup._forget_expired(int) IS
    'internal: deletes the rows of backups that expired longer ago than pgbackup.history_days and whose objects are gone, and what became of times of schedules more than 35 days ago; at most so many of each. Returns how many';

CREATE FUNCTION pgbackup._apply_retention(dry_run boolean DEFAULT false)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    doomed record;
BEGIN
    RETURN QUERY SELECT b.id, b.file_name, l.reason, 'is being removed'
                   FROM pgbackup._expired_leftovers() AS l
                   JOIN pgbackup.backups b ON b.id = l.backup_id AND b.status = 'expired' ORDER BY b.id;
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

CREATE FUNCTION pgbackup._retain(database name, most int)
    RETURNS TABLE (backup_id bigint, finding text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    left_over int := most;
    planned record;
BEGIN
    FOR planned IN
        WITH p AS MATERIALIZED (
            SELECT r.backup_id, r.kept, r.reason, b.storage
              FROM pgbackup._plan_retention(database) r JOIN pgbackup.backups b ON b.id = r.backup_id
             WHERE r.suspicious OR NOT r.kept),
        removable AS MATERIALIZED (
            SELECT s.storage FROM (SELECT DISTINCT p.storage FROM p WHERE NOT p.kept OFFSET 0) AS s WHERE pgbackup._may_remove(s.storage))
        SELECT p.* FROM p WHERE p.kept OR p.storage IN (SELECT m.storage FROM removable m) ORDER BY p.kept DESC, p.backup_id LOOP
        backup_id := planned.backup_id;
        finding := NULL;
        IF planned.kept THEN
            finding := pgbackup._flag_small_backup(backup_id, planned.reason);
            CONTINUE WHEN finding IS NULL;
        ELSE
            EXIT WHEN left_over = 0;
            CONTINUE WHEN NOT pgbackup._expire(backup_id);
            left_over := left_over - 1;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION pgbackup._retain(name, int) IS
    'internal: applies retention to one database: lets the backups expire that no rule keeps, oldest first and at most so many, and flags what is suspiciously small. Returns the backups that have expired and, with a finding, those that were flagged';

CREATE FUNCTION pgbackup._retention_rules() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(' ', current_setting('pgbackup.retention_count'), current_setting('pgbackup.retention_days'),
                     current_setting('pgbackup.retention_daily'), current_setting('pgbackup.retention_weekly'),
                     current_setting('pgbackup.retention_monthly'), current_setting('pgbackup.retention_yearly'),
                     current_setting('pgbackup.retention_minimum'), current_setting('pgbackup.min_size_ratio'),
                     current_setting('pgbackup.history_days'), current_setting('pgbackup.timezone'), current_setting('TimeZone'),
                     (SELECT string_agg(ROW (n.name, n.retention_count, n.retention_days, n.retention_daily, n.retention_weekly,
                                             n.retention_monthly, n.retention_yearly)::text, ' ' ORDER BY n.name)
                        FROM pgbackup.named_schedules n),
                     (SELECT string_agg(r.database, ' ' ORDER BY r.database) FROM pgbackup.recreated_databases r),
                     (SELECT concat_ws(' ', count(*), sum(k.same_as::bigint)) FROM pgbackup.database_oids k))
$$;
COMMENT ON FUNCTION pgbackup._retention_rules() IS 'internal: all that retention goes by, as a text to compare';
