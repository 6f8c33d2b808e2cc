--
-- What should have happened, by the clock and the schedules, against what has. Computed in the session that asks,
-- so that it needs nothing of the launcher.
--

CREATE FUNCTION pgbackup._grace() RETURNS interval
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT interval '90 seconds'
$$;
COMMENT ON FUNCTION pgbackup._grace() IS 'internal: how late something may be before health() says so';

CREATE FUNCTION pgbackup._is_selected(database text, databases text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH element AS (SELECT e FROM unnest(pgbackup._split_selection($2)) AS e)
    SELECT EXISTS (SELECT FROM element WHERE e !~ '^-' AND pgbackup._matches($1, e) AND ($1 NOT IN ('template0', 'template1') OR e = $1))
           AND NOT EXISTS (SELECT FROM element WHERE e ~ '^-' AND pgbackup._matches($1, substr(e, 2)))
$$;
COMMENT ON FUNCTION pgbackup._is_selected(text, text) IS
    'internal: whether a list such as pgbackup.databases is meant to select a database, be it that it does not accept connections';

CREATE FUNCTION pgbackup._coverage() RETURNS TABLE (database name, schedule text, databases text, next_start timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH schedule AS MATERIALIZED (
        SELECT s.name, s.databases, pgbackup._next_start(s) AS next_start FROM pgbackup.schedules s WHERE s.name = 'default' OR s.enabled)
    SELECT d.datname, s.name, s.databases, s.next_start
      FROM schedule s, LATERAL pgbackup._select_databases(s.databases) AS n (name)
      JOIN pgbackup._open_databases d ON d.datname::text = n.name
$$;
COMMENT ON FUNCTION pgbackup._coverage() IS
    'internal: the databases that each schedule backs up, and when next; also those of pgbackup.databases while pgbackup.schedule is empty';

CREATE FUNCTION pgbackup._expected_slots()
    RETURNS TABLE (schedule text, slot timestamptz, due timestamptz, is_recorded boolean, databases text, skipped name[])
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.name, e.slot, e.slot + e.delay,
           -- The record of a slot is kept for 35 days.
           r.slot IS NOT NULL OR e.slot < now() - interval '30 days' AND e.slot <= e.since,
           CASE WHEN r.outcome IN ('run', 'caught_up') THEN r.databases END, r.skipped
      FROM (SELECT s.name, d.delay, t.since,
                   -- Without a state the launcher has not seen it yet.
                   coalesce(greatest(t.began, n.changed_at), n.changed_at, pg_conf_load_time()) AS began,
                   pgbackup._last_run(s.cron, s.timezone, now() - d.delay - pgbackup._grace()) AS slot
              FROM pgbackup._running_schedules s
             CROSS JOIN LATERAL pgbackup._jitter_delay(s.name, s.jitter) AS d (delay)
              LEFT JOIN pgbackup.schedule_states t
                ON t.schedule = s.name AND t.definition = concat_ws(' in ', s.cron, nullif(s.timezone, ''))
              LEFT JOIN pgbackup.named_schedules n ON n.name = s.name
             WHERE s.enabled) AS e
      LEFT JOIN LATERAL (SELECT k.slot, k.outcome, k.databases, k.skipped FROM pgbackup.slots k
                          WHERE k.schedule = e.name AND k.slot >= e.slot AND k.first_slot <= e.slot
                          ORDER BY k.outcome = 'missed', k.slot LIMIT 1) AS r ON true
     WHERE e.slot > e.began AND NOT pg_is_in_recovery()
$$;
COMMENT ON FUNCTION pgbackup._expected_slots() IS
    'internal: the last time of each schedule that should have been settled by now, and whether anything is recorded of it: if backups were started, of which databases';

CREATE FUNCTION pgbackup._slot_problems() RETURNS TABLE (database name, status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH expected AS MATERIALIZED (SELECT * FROM pgbackup._expected_slots() AS e WHERE e.databases IS NOT NULL),
    lacking AS MATERIALIZED (
        SELECT c.database, e.schedule, e.slot
          -- Of a list that has been changed since, the next slot will show what becomes.
          FROM expected e JOIN pgbackup._coverage() AS c ON c.schedule = e.schedule AND c.databases = e.databases
         WHERE NOT EXISTS (SELECT FROM pgbackup.backups b WHERE b.schedule = e.schedule AND b.slot = e.slot AND b.database = c.database)
           AND c.database <> ALL (e.skipped))
    SELECT l.database, 'warning', format('schedule "%s" has started no backup of this database at %s', l.schedule, l.slot)
      FROM lacking l,
           -- One that is new has not been there.
           LATERAL (SELECT b.created_at FROM pgbackup.backups b WHERE b.database = l.database ORDER BY b.id LIMIT 1) AS f
     WHERE f.created_at < l.slot
$$;
COMMENT ON FUNCTION pgbackup._slot_problems() IS 'internal: databases that the last time of a schedule has left out';

CREATE FUNCTION pgbackup._selection_problems() RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH schedule AS MATERIALIZED (
        SELECT s.name, ARRAY(SELECT pgbackup._select_databases(s.databases)) AS selected FROM pgbackup.schedules s WHERE s.enabled)
    SELECT 'critical', format('schedule "%s" selects no database', s.name) FROM schedule s WHERE cardinality(s.selected) = 0
    UNION ALL
    SELECT 'critical', format('schedule "%s" names database "%s", which does not exist', s.name, n.name)
      FROM schedule s, unnest(s.selected) AS n (name) WHERE NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = n.name)
    UNION ALL
    SELECT 'critical', format('schedule "%s" does not run: time zone "%s" is unknown to this server', s.name, s.timezone)
      FROM pgbackup.schedules s WHERE s.enabled AND s.timezone <> '' AND NOT pgbackup._timezone_exists(s.timezone)
    UNION ALL
    SELECT 'critical', format('schedule "%s" came with a copy of the home database of another server, so it does not run here: SELECT pgbackup.adopt_schedules(), or pgbackup.unschedule(''%s'')', n.name, replace(n.name, '''', ''''''))
      FROM pgbackup.named_schedules n WHERE n.enabled AND NOT pgbackup._is_adopted(n)
$$;
COMMENT ON FUNCTION pgbackup._selection_problems() IS 'internal: schedules that back up nothing, or what is not there, or that have no time, or do not run for another reason';

CREATE FUNCTION pgbackup._run_problems() RETURNS TABLE (database name, status text, reason text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH open AS MATERIALIZED (
        SELECT b.id, 'backup' AS kind, b.database, b.status, b.started_at, coalesce(b.not_before, b.created_at) AS due
          FROM pgbackup.backups b WHERE b.status IN ('pending', 'in_progress')
        UNION ALL
        SELECT r.id, CASE r.mode WHEN 'verify' THEN 'verification' ELSE 'restore' END, r.target_database, r.status, r.started_at, r.created_at
          FROM pgbackup.restores r
         WHERE r.status IN ('pending', 'in_progress')
           AND NOT EXISTS (SELECT FROM pgbackup.backups s WHERE s.id = r.safety_backup_id AND s.status IN ('pending', 'in_progress'))),
    running AS MATERIALIZED (SELECT * FROM pgbackup._progress()),
    -- Runs that are due start in the order of their ids: one that a later run has overtaken is locked by another session.
    latest AS MATERIALIZED (SELECT b.id, b.started_at FROM pgbackup.backups b WHERE b.started_at IS NOT NULL ORDER BY b.id DESC LIMIT 1),
    busy AS (SELECT o.kind, count(*) AS runs FROM open o WHERE o.status = 'in_progress' GROUP BY o.kind)
    SELECT o.database, 'warning', p.reason
      FROM pgbackup._launcher_state() AS l
     CROSS JOIN open o LEFT JOIN running r ON r.id = o.id LEFT JOIN busy y ON y.kind = o.kind
     CROSS JOIN LATERAL (
        SELECT format('%s %s has made no progress since %s, in phase "%s"', o.kind, o.id, date_trunc('second', r.last_progress_at), r.phase)
         WHERE r.last_progress_at < clock_timestamp() - pgbackup._grace()
        UNION ALL
        SELECT format('%s %s is recorded as under way, but no process works on it', o.kind, o.id)
         WHERE o.status = 'in_progress' AND r.id IS NULL AND o.started_at < clock_timestamp() - pgbackup._grace()
        UNION ALL
        SELECT format('%s %s has been waiting since %s, although nothing keeps it from starting', o.kind, o.id, date_trunc('second', o.due))
         WHERE o.status = 'pending' AND o.due < clock_timestamp() - pgbackup._grace()
           AND (l.last_end_at < clock_timestamp() - pgbackup._grace() AND coalesce(y.runs, 0) < current_setting('pgbackup.max_concurrent')::int
                OR o.kind = 'backup' AND o.id < (SELECT t.id FROM latest t WHERE t.started_at > o.due + interval '5 seconds'))) AS p (reason)
     -- Without the launcher none gets ahead, which is a reason of its own.
     WHERE l.pid IS NOT NULL AND NOT l.is_stuck
$$;
COMMENT ON FUNCTION pgbackup._run_problems() IS 'internal: runs that come no further, or do not start';
