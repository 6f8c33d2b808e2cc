--
-- How far running backups, restores and copies are, and what they cost others
--

CREATE FUNCTION pgbackup._usual_duration(id bigint, kind text) RETURNS interval
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN $2 = 'backup' THEN
        (SELECT b.duration FROM pgbackup.backups r
           JOIN pgbackup.backups b ON b.database = r.database AND b.status IN ('completed', 'expired')
            AND b.options - '{jobs,compression}'::text[] = r.options - '{jobs,compression}'::text[]
          WHERE r.id = $1 ORDER BY b.id DESC LIMIT 1)
    WHEN $2 IN ('restore', 'verification') THEN
        (SELECT o.duration FROM pgbackup.restores r
           JOIN pgbackup.restores o ON o.database = r.database AND o.mode = r.mode AND o.status = 'completed'
            AND o.options - 'jobs' = r.options - 'jobs'
          WHERE r.id = $1 ORDER BY o.id DESC LIMIT 1) END
$$;
COMMENT ON FUNCTION pgbackup._usual_duration(bigint, text) IS
    'internal: how long the last run took that did the same as this one; null when there was none';

CREATE FUNCTION pgbackup._sessions_of_backup(id bigint, OUT lock_waiters int, OUT xmin_age int)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH s AS MATERIALIZED (
        SELECT a.pid, a.application_name, a.backend_xmin, a.wait_event_type FROM pg_stat_get_activity(NULL) AS a),
    ours AS MATERIALIZED (
        SELECT array_agg(s.pid) AS pids, max(age(s.backend_xmin)) AS xmin_age
          FROM s WHERE s.application_name IN (format('pgbackup backup %s', $1), format('pgbackup backup %s (confined)', $1)))
    -- Only who waits is asked about: pg_locks would be all locks of the server.
    SELECT (SELECT count(*) FROM s
             WHERE CASE WHEN s.wait_event_type = 'Lock' AND s.pid <> ALL (o.pids)
                        THEN pg_blocking_pids(s.pid) && o.pids ELSE false END)::int,
           o.xmin_age
      FROM ours o
$$;
COMMENT ON FUNCTION pgbackup._sessions_of_backup(bigint) IS
    'internal: how many sessions wait for a lock that a session of the backup holds, and how many transactions old the oldest xmin of its sessions is';

CREATE VIEW pgbackup.progress AS
    SELECT p.id, p.kind, p.database, p.phase, p.raw_bytes, p.stored_bytes, p.total_bytes,
           -- The total is an estimate until all the data has passed.
           CASE WHEN p.data_ended IS NOT NULL THEN 100.0
                WHEN p.total_bytes > 0 THEN least(round(100.0 * p.raw_bytes / p.total_bytes, 1), 99.9) END AS percent,
           r.throughput,
           CASE WHEN p.data_ended IS NULL AND p.total_bytes > p.raw_bytes AND r.throughput > 0
                THEN make_interval(secs => round((p.total_bytes - p.raw_bytes)::numeric / r.throughput)::float8)
                WHEN p.data_ended IS NOT NULL AND p.kind IN ('backup', 'copy') THEN interval '0'
                ELSE (SELECT CASE WHEN u.usual > u.so_far THEN date_trunc('second', u.usual - u.so_far) END
                        FROM (SELECT pgbackup._usual_duration(p.id, p.kind), clock_timestamp() - p.started_at) AS u (usual, so_far))
           END AS eta,
           p.tables_done, p.tables_total, p.current_tables,
           s.lock_waiters, s.xmin_age, p.started_at, p.agent_pid, p.last_progress_at
      FROM pgbackup._progress() AS p
     CROSS JOIN LATERAL (
        SELECT CASE WHEN e.seconds > 0 THEN (p.raw_bytes / e.seconds)::bigint END AS throughput
          FROM (SELECT extract(epoch FROM coalesce(p.data_ended, clock_timestamp()) - p.data_began) AS seconds) AS e) AS r
      LEFT JOIN LATERAL (
        SELECT b.lock_waiters, b.xmin_age FROM pgbackup._sessions_of_backup(p.id) AS b WHERE p.kind = 'backup') AS s ON true
     ORDER BY p.id;
COMMENT ON VIEW pgbackup.progress IS
    'one row per running backup, restore and copy. Sizes in bytes: raw_bytes uncompressed, stored_bytes to or from the storage, total_bytes an estimate of raw_bytes at the end; throughput is raw bytes per second since the data began to flow, eta how long the run will go on, as far as that can be told; current_tables are being worked on; lock_waiters wait for a lock that a backup holds, whose oldest snapshot is xmin_age transactions old; last_progress_at is the time of its last progress';
