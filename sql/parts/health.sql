--
-- Whether all is well. Reads the catalog alone, so it works when the launcher does not.
--

CREATE FUNCTION pgbackup._uncovered() RETURNS TABLE (database name, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- From one to the next in the index, over all that they have in common.
    WITH RECURSIVE had AS (
        (SELECT b.database, b.schedule FROM pgbackup.backups b
          WHERE b.status = 'completed' AND b.schedule IS NOT NULL ORDER BY b.database, b.schedule LIMIT 1)
        UNION ALL
        SELECT n.* FROM had h, LATERAL (
            SELECT b.database, b.schedule FROM pgbackup.backups b
             WHERE b.status = 'completed' AND b.schedule IS NOT NULL AND (b.database, b.schedule) > (h.database, h.schedule)
             ORDER BY b.database, b.schedule LIMIT 1) AS n),
    covered AS MATERIALIZED (SELECT DISTINCT c.database FROM pgbackup._coverage() AS c),
    beside AS MATERIALIZED (SELECT pgbackup._beside() AS oid),
    schedule AS MATERIALIZED (
        SELECT s.name, s.name = 'default' OR s.enabled AS is_active, s.databases FROM pgbackup.schedules s),
    selected AS MATERIALIZED (SELECT s.name AS schedule, n.name FROM schedule s, pgbackup._select_databases(s.databases) AS n (name)),
    was AS (
        SELECT d.datname, d.datallowconn, h.schedule, s.is_active, o.name IS NOT NULL AS is_selected
          FROM had h
          JOIN pg_database d ON d.datname = h.database AND d.oid NOT IN (SELECT b.oid FROM beside b) AND d.datconnlimit <> -2
          LEFT JOIN schedule s ON s.name = h.schedule
          LEFT JOIN selected o ON o.schedule = h.schedule AND o.name = h.database::text)
    SELECT w.datname, format('schedule "%s" no longer backs up this database: %s', w.schedule,
                             CASE WHEN NOT w.datallowconn THEN 'it does not accept connections'
                                  WHEN w.is_active IS NULL THEN 'the schedule has been dropped'
                                  WHEN NOT w.is_active THEN 'the schedule is disabled'
                                  ELSE 'it is not selected' END)
      FROM was w
     -- To drop or to disable a schedule leaves a database without backups only if no other one covers it.
     WHERE NOT w.datallowconn OR w.is_active AND NOT w.is_selected
           OR w.is_active IS NOT TRUE AND w.datname NOT IN (SELECT c.database FROM covered c)
    UNION ALL
    SELECT d.datname, 'it does not accept connections, so it is not backed up'
      FROM pg_database d
     WHERE NOT d.datallowconn AND d.datname <> 'template0' AND d.datconnlimit <> -2 AND d.oid NOT IN (SELECT b.oid FROM beside b)
       AND EXISTS (SELECT FROM pgbackup.schedules s WHERE (s.name = 'default' OR s.enabled) AND pgbackup._is_selected(d.datname::text, s.databases))
       AND NOT EXISTS (SELECT FROM had h WHERE h.database = d.datname)
    UNION ALL
    SELECT d.datname, 'its name is not text in the encoding of the database of pgbackup, so it is not backed up'
      FROM pg_database d WHERE NOT pgbackup._is_valid_name(d.datname)
    UNION ALL
    SELECT d.datname, 'it is invalid, because its DROP DATABASE was interrupted, so it is not backed up'
      FROM pg_database d WHERE d.datconnlimit = -2 AND d.oid NOT IN (SELECT b.oid FROM beside b)
$$;
COMMENT ON FUNCTION pgbackup._uncovered() IS
    'internal: databases with backups of a schedule that does not back them up any more, or that cannot be backed up, and why';

-- Looks at no table: these may be locked, or gone.
CREATE FUNCTION pgbackup._launcher_problems() RETURNS TABLE (status text, reason text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'critical', format('pgbackup works from database "%s", not from this one: nothing that is recorded here goes on', h.name)
      FROM current_setting('pgbackup.home_database', true) AS h (name) WHERE h.name <> current_database()
    UNION ALL
    SELECT 'critical', format('the launcher does not run: no backup has started since %s', to_char(l.since, 'YYYY-MM-DD HH24:MI TZ'))
      FROM pgbackup._launcher_state() AS l WHERE l.pid IS NULL AND NOT pg_is_in_recovery()
    UNION ALL
    SELECT 'critical', format('the launcher (process %s) has not responded since %s: no backup starts, and none is recorded',
                              l.pid, to_char(l.last_round_at, 'YYYY-MM-DD HH24:MI TZ'))
      FROM pgbackup._launcher_state() AS l WHERE l.is_stuck
    UNION ALL
    SELECT 'critical', format('the launcher has met errors since %s, %s so far: %s', to_char(t.since, 'YYYY-MM-DD HH24:MI TZ'), t.errors, t.message)
      FROM pgbackup._launcher_trouble() AS t WHERE t.since <= clock_timestamp() - interval '1 minute'
$$;
COMMENT ON FUNCTION pgbackup._launcher_problems() IS 'internal: what is wrong with the launcher';

CREATE FUNCTION pgbackup._cluster_problems() RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.status, l.reason FROM pgbackup._launcher_problems() AS l
    UNION ALL
    SELECT l.status, l.reason FROM pgbackup._library_problems() AS l
    UNION ALL
    SELECT 'critical', format('setting "%s" in %s has no effect: %s', r.name, r.place, r.why) FROM pgbackup._refused_settings() AS r
    UNION ALL
    SELECT 'critical', 'pgbackup.storage is not set: no backup is scheduled'
     WHERE coalesce(current_setting('pgbackup.storage', true), '') = ''
    UNION ALL
    -- Whoever deletes in the storage is stuck when three attempts at the same thing have failed.
    SELECT 'warning', format('%s folder%s or databases wait to be removed, which fails: %s', count(*), CASE WHEN count(*) > 1 THEN 's' END, min(r.message))
      FROM pgbackup.removals r WHERE r.attempts >= 3 HAVING count(*) > 0
    UNION ALL
    SELECT 'warning', format('pins and verifications wait to be written to the storage, %s backup%s, which fails: %s', count(*), CASE WHEN count(*) > 1 THEN 's' END, min(u.message))
      FROM pgbackup.unstored_marks u WHERE u.attempts >= 3 HAVING count(*) > 0
    UNION ALL
    SELECT o.status, o.reason FROM pgbackup._ownership_problems() AS o
    UNION ALL
    SELECT CASE WHEN e.due < now() - interval '5 minutes' THEN 'critical' ELSE 'warning' END,
           format('nothing has been recorded of schedule "%s" since it was due at %s', e.schedule, e.due)
      FROM pgbackup._expected_slots() AS e WHERE NOT e.is_recorded
    UNION ALL
    SELECT s.status, s.reason FROM pgbackup._selection_problems() AS s
    UNION ALL
    SELECT 'warning', d.reason FROM pgbackup._delivery_problems() AS d
    UNION ALL
    SELECT 'warning', format('the NOTIFY queue is too full for notifications: %s', round((100 * q.usage)::numeric, 1) || ' %')
      FROM pg_notification_queue_usage() AS q (usage) WHERE q.usage >= pgbackup._notify_limit()
$$;
COMMENT ON FUNCTION pgbackup._cluster_problems() IS 'internal: what is wrong for every database';

-- A few steps in an index for each database, however long its history is.
CREATE FUNCTION pgbackup._backup_problems(databases name[]) RETURNS TABLE (database name, status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH d AS MATERIALIZED (SELECT DISTINCT u.name FROM unnest($1) AS u (name)),
    -- The last run that has ended, and the newest backup.
    last AS MATERIALIZED (
        SELECT e.* FROM d, LATERAL (
            SELECT b.id, b.database, b.status, b.message, b.sqlstate, b.clock_skew, b.credentials_expire_at, b.started_at, b.duration,
                   b.file_size, b.detail, b.verified_level
              FROM pgbackup.backups b
             WHERE b.database = d.name AND b.status NOT IN ('pending', 'in_progress', 'cancelled') ORDER BY b.id DESC LIMIT 1) AS e),
    newest AS MATERIALIZED (
        SELECT e.id, e.database, e.started_at, e.duration, e.file_size, e.sqlstate, e.detail, e.verified_level
          FROM last e WHERE e.status = 'completed'
        UNION ALL
        SELECT g.* FROM last e, LATERAL (
            SELECT b.id, b.database, b.started_at, b.duration, b.file_size, b.sqlstate, b.detail, b.verified_level FROM pgbackup.backups b
             WHERE b.database = e.database AND b.status = 'completed' ORDER BY b.id DESC LIMIT 1) AS g
         WHERE e.status <> 'completed'),
    limits AS (
        SELECT pgbackup._seconds_of('max_backup_age') AS backup_age, pgbackup._seconds_of('max_proof_age') AS proof_age)
    SELECT d.name, 'critical', 'there is no backup' FROM d WHERE d.name NOT IN (SELECT g.database FROM newest g)
    UNION ALL
    SELECT g.database, 'critical', format('the newest backup is %s old, pgbackup.max_backup_age is %s',
                                          pgbackup._roughly(now() - g.started_at), pgbackup._roughly(l.backup_age))
      FROM newest g, limits l WHERE now() - g.started_at > l.backup_age
    UNION ALL
    -- From here: what its last runs tell.
    SELECT e.database, CASE WHEN f.failures >= 3 THEN 'critical' ELSE 'warning' END,
           CASE WHEN f.failures = 1 THEN format('the last backup failed: %s', e.message)
                ELSE format('the last %s backups failed: %s', f.failures, e.message) END
      FROM last e, LATERAL (
        SELECT count(*) FROM pgbackup.backups b
         WHERE b.database = e.database AND b.status = 'failed'
           AND b.id > coalesce((SELECT o.id FROM pgbackup.backups o WHERE o.database = e.database AND o.status IN ('completed', 'expired')
                                 ORDER BY o.id DESC LIMIT 1), 0)) AS f (failures)
     WHERE e.status = 'failed'
    UNION ALL
    SELECT e.database, 'critical', format('the storage cannot be reached: %s', e.message)
      FROM last e WHERE e.status = 'failed' AND e.sqlstate = '08006'
    UNION ALL
    -- Stores refuse requests that are dated 15 minutes off.
    SELECT e.database, CASE WHEN k.skew >= interval '10 minutes' THEN 'critical' ELSE 'warning' END,
           CASE WHEN e.clock_skew > interval '0'
                THEN format('the clock of the storage is %s ahead of this server''s', pgbackup._roughly(k.skew))
                ELSE format('the clock of the storage is %s behind this server''s', pgbackup._roughly(k.skew)) END
      FROM last e, greatest(e.clock_skew, -e.clock_skew) AS k (skew)
     WHERE k.skew > interval '1 minute'
    UNION ALL
    SELECT e.database, CASE WHEN x.left_over > interval '0' THEN 'warning' ELSE 'critical' END,
           CASE WHEN x.left_over > interval '0'
                THEN format('the credentials for the storage expire in %s, before the end of the next backup', pgbackup._roughly(x.left_over))
                ELSE format('the credentials for the storage expired %s ago', pgbackup._roughly(-x.left_over)) END
      FROM last e LEFT JOIN newest g ON g.database = e.database
      LEFT JOIN (SELECT c.database, min(c.next_start) AS next_start FROM pgbackup._coverage() AS c GROUP BY c.database) AS n ON n.database = e.database
     CROSS JOIN LATERAL (SELECT e.credentials_expire_at - now()) AS x (left_over)
     WHERE e.credentials_expire_at IS NOT NULL
       AND (x.left_over <= interval '0' OR e.credentials_expire_at < n.next_start + coalesce(g.duration, interval '0'))
    UNION ALL
    SELECT g.database, 'warning', format('the newest backup has %s bytes, half of the %s before it had %s or more',
                                         g.file_size, o.count, o.middle::bigint)
      FROM newest g, LATERAL (
        SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY p.file_size) AS middle
          FROM (SELECT b.file_size FROM pgbackup.backups b WHERE b.database = g.database AND b.status = 'completed' AND b.id < g.id
                 ORDER BY b.id DESC LIMIT 10) AS p) AS o
     WHERE o.count >= 3 AND g.file_size < o.middle * current_setting('pgbackup.min_size_ratio')::float8
    UNION ALL
    SELECT f.database, 'warning', f.reason FROM pgbackup._former_problems(ARRAY(SELECT d.name FROM d)) AS f
    UNION ALL
    SELECT g.database, 'warning', CASE WHEN v.at IS NULL THEN 'no backup has been proved good by pgbackup.verify()'
                                       ELSE format('the last proof of a backup is %s old, pgbackup.max_proof_age is %s',
                                                   pgbackup._roughly(now() - v.at), pgbackup._roughly(l.proof_age)) END
      FROM limits l, newest g, LATERAL (
        SELECT max(b.verified_at) AS at FROM pgbackup.backups b
         WHERE b.database = g.database AND b.status = 'completed' AND b.verified_at IS NOT NULL) AS v
     WHERE l.proof_age IS NOT NULL AND coalesce(now() - v.at > l.proof_age, true)
    UNION ALL
    SELECT p.database, 'critical', format('the proof of backup %s failed: %s', p.backup_id, p.message)
      FROM pgbackup._failed_proofs(ARRAY(SELECT d.name FROM d)) AS p
    UNION ALL
    -- A proof by a restore outweighs signs.
    SELECT g.database, 'warning', format('the newest backup may not be restored as a whole: %s', split_part(g.detail, E'\n', 1))
      FROM newest g WHERE g.sqlstate = '01000' AND g.verified_level IS DISTINCT FROM 'restore'
    UNION ALL
    SELECT g.database, 'warning', format('the copy of backup %s in %s is missing: %s', c.backup_id, pgbackup._storage_place(c.storage), c.message)
      FROM newest g JOIN pgbackup.copies c ON c.backup_id = g.id
     WHERE c.status = 'failed'
$$;
COMMENT ON FUNCTION pgbackup._backup_problems(name[]) IS 'internal: what is wrong with the backups of databases';

CREATE FUNCTION pgbackup._snapshot_problems() RETURNS TABLE (database name, status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.database, 'warning', format('backup %s holds back vacuum by %s transactions, pgbackup.max_xmin_age is %s', p.id,
                             max(age(a.backend_xmin)), current_setting('pgbackup.max_xmin_age'))
      FROM pgbackup._progress() AS p
      JOIN pg_stat_activity a ON a.application_name IN (format('pgbackup backup %s', p.id), format('pgbackup backup %s (confined)', p.id))
     GROUP BY p.database, p.id
    HAVING max(age(a.backend_xmin)) > current_setting('pgbackup.max_xmin_age')::int
$$;
COMMENT ON FUNCTION pgbackup._snapshot_problems() IS 'internal: running backups that hold back vacuum';

CREATE FUNCTION pgbackup._health()
    RETURNS TABLE (database name, status text, reasons text[], last_backup timestamptz, last_backup_id bigint,
                   running boolean, next_backup timestamptz)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH everywhere AS MATERIALIZED (SELECT * FROM pgbackup._cluster_problems()),
    uncovered AS MATERIALIZED (SELECT * FROM pgbackup._uncovered()),
    covered AS MATERIALIZED (SELECT c.database, min(c.next_start) AS next_start FROM pgbackup._coverage() AS c GROUP BY c.database),
    run AS MATERIALIZED (SELECT * FROM pgbackup._run_problems()),
    -- What concerns the whole cluster is not to be overlooked because there is no row to show it in.
    shown AS MATERIALIZED (
        SELECT d.datname, c.database IS NOT NULL AS is_covered, c.next_start
          FROM pg_database d LEFT JOIN covered c ON c.database = d.datname
         WHERE c.database IS NOT NULL OR d.datname IN (SELECT u.database FROM uncovered u)
               OR d.datname IN (SELECT r.database FROM run r)
               OR d.datname = current_database() AND NOT EXISTS (SELECT FROM covered)),
    problem AS (
        SELECT d.datname, e.status, e.reason, 1 AS rank FROM shown d, everywhere e
        UNION ALL
        -- That of a database that does not exist, such as the one that a restore makes, is shown with all.
        SELECT d.datname, r.status, r.reason, 2 FROM shown d, run r
         WHERE r.database = d.datname OR r.database NOT IN (SELECT s.datname FROM shown s)
        UNION ALL
        SELECT p.database, p.status, p.reason, 2
          FROM pgbackup._backup_problems(ARRAY(SELECT s.datname FROM shown s WHERE s.is_covered)) AS p
        UNION ALL
        SELECT s.database, s.status, s.reason, 2 FROM pgbackup._slot_problems() AS s
        UNION ALL
        SELECT u.database, 'warning', u.reason, 2 FROM uncovered u
        UNION ALL
        SELECT p.database, p.status, p.reason, 3 FROM pgbackup._snapshot_problems() AS p)
    SELECT pgbackup._shown_name(d.datname),
           CASE WHEN bool_or(p.status = 'critical') THEN 'critical' WHEN bool_or(p.status = 'warning') THEN 'warning'
                ELSE 'healthy' END,
           coalesce(array_agg(p.reason ORDER BY p.status, p.rank) FILTER (WHERE p.reason IS NOT NULL), '{}'),
           b.started_at, b.id,
           d.datname IN (SELECT r.database FROM pgbackup.backups r WHERE r.status = 'in_progress'),
           d.next_start
      FROM shown d
      LEFT JOIN problem p ON p.datname = d.datname
      LEFT JOIN LATERAL (SELECT l.id, l.started_at FROM pgbackup.backups l
                          WHERE l.database = d.datname AND l.status = 'completed' ORDER BY l.id DESC LIMIT 1) AS b ON true
     GROUP BY d.datname, d.next_start, b.id, b.started_at
     ORDER BY d.datname
$$;
COMMENT ON FUNCTION pgbackup._health() IS 'internal: the rows of pgbackup.health() when the catalog can be read';

CREATE FUNCTION pgbackup._unreadable_problems(why text) RETURNS TABLE (status text, reason text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'critical', format('the catalog of pgbackup cannot be read: %s', $1)
    UNION ALL
    SELECT 'critical', format('process %s has locked table "%s" of pgbackup', l.pid, c.relname)
      FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
     WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND c.relkind = 'r'
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'pgbackup')
    UNION ALL
    SELECT l.status, l.reason FROM pgbackup._launcher_problems() AS l
$$;
COMMENT ON FUNCTION pgbackup._unreadable_problems(text) IS 'internal: what can be said while the catalog cannot be read';

CREATE FUNCTION pgbackup.health()
    RETURNS TABLE (database name, status text, reasons text[], last_backup timestamptz, last_backup_id bigint,
                   running boolean, next_backup timestamptz)
    -- Compiling these queries takes ten times as long as they do.
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off AS $$
DECLARE
    why text;
    problems text[];
BEGIN
    RETURN QUERY SELECT h.* FROM pgbackup._health() AS h;
EXCEPTION WHEN OTHERS THEN
    why := SQLERRM;
    BEGIN
        problems := ARRAY(SELECT p.reason FROM pgbackup._unreadable_problems(why) AS p);
    EXCEPTION WHEN OTHERS THEN
        -- Not even that: for example without the file of the library.
        problems := ARRAY[format('the catalog of pgbackup cannot be read: %s', why)];
    END;
    RETURN QUERY SELECT current_database(), 'critical', problems, NULL::timestamptz, NULL::bigint, NULL::boolean, NULL::timestamptz;
END $$;
COMMENT ON FUNCTION pgbackup.health() IS
    'one row per database that a schedule covers, or has covered and still has backups of, and for the home database when there is none: status healthy, warning or critical and, worst first, the reasons; last_backup is the time that the newest backup shows the database at. Reads the catalog alone, so it works when the launcher does not; while that cannot be read, because another session has locked it, there is one row that says so';
