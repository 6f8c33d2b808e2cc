--
-- Schedules (src/pg/schedules.cpp, src/pg/sql_schedules.cpp)
--

CREATE TABLE pgbackup.named_schedules (
    name              text PRIMARY KEY,
    cron              text NOT NULL,
    databases         text,
    content           text,
    format            text,
    label             text,
    storage           text,
    jobs              int,
    compression       text,
    timezone          text,
    jitter            int,
    enabled           boolean NOT NULL DEFAULT true,
    retention_count   int,
    retention_days    int,
    retention_daily   int,
    retention_weekly  int,
    retention_monthly int,
    retention_yearly  int,
    created_by        name NOT NULL DEFAULT session_user,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    token             text NOT NULL DEFAULT pgbackup._token(),
    place             text NOT NULL DEFAULT pgbackup._place()
);
SELECT pg_extension_config_dump('pgbackup.named_schedules', '');

COMMENT ON TABLE pgbackup.named_schedules IS 'schedules made by pgbackup.schedule(); pgbackup.schedules shows them with what the settings add';
COMMENT ON COLUMN pgbackup.named_schedules.name IS 'name';
COMMENT ON COLUMN pgbackup.named_schedules.cron IS 'when, as a cron expression';
COMMENT ON COLUMN pgbackup.named_schedules.databases IS 'which databases, as in pgbackup.databases; null for as there';
COMMENT ON COLUMN pgbackup.named_schedules.content IS 'all, schema or data; null for all';
COMMENT ON COLUMN pgbackup.named_schedules.format IS 'layout; null for pgbackup.format';
COMMENT ON COLUMN pgbackup.named_schedules.label IS 'label of its backups';
COMMENT ON COLUMN pgbackup.named_schedules.storage IS 'where they go; null for pgbackup.storage';
COMMENT ON COLUMN pgbackup.named_schedules.jobs IS 'parallel lanes; null for pgbackup.jobs';
COMMENT ON COLUMN pgbackup.named_schedules.compression IS 'compression; null for pgbackup.compression';
COMMENT ON COLUMN pgbackup.named_schedules.timezone IS 'time zone of cron; null for pgbackup.timezone';
COMMENT ON COLUMN pgbackup.named_schedules.jitter IS 'how many seconds after the time it may start; null for pgbackup.jitter';
COMMENT ON COLUMN pgbackup.named_schedules.enabled IS 'whether it runs';
COMMENT ON COLUMN pgbackup.named_schedules.retention_count IS 'own retention: the last so many backups; with one of these six set, the settings of retention do not count';
COMMENT ON COLUMN pgbackup.named_schedules.retention_days IS 'own retention: those of the last so many days';
COMMENT ON COLUMN pgbackup.named_schedules.retention_daily IS 'own retention: the last one of so many days';
COMMENT ON COLUMN pgbackup.named_schedules.retention_weekly IS 'own retention: the last one of so many weeks';
COMMENT ON COLUMN pgbackup.named_schedules.retention_monthly IS 'own retention: the last one of so many months';
COMMENT ON COLUMN pgbackup.named_schedules.retention_yearly IS 'own retention: the last one of so many years';
COMMENT ON COLUMN pgbackup.named_schedules.created_by IS 'role that made it, or that has changed the one of another role since; others need the right to call pgbackup.delete() to change or drop it';
COMMENT ON COLUMN pgbackup.named_schedules.changed_at IS 'when it was made or changed';
COMMENT ON COLUMN pgbackup.named_schedules.token IS 'catalog in which that was (pgbackup.instance)';
COMMENT ON COLUMN pgbackup.named_schedules.place IS 'fingerprint of the server where that was';

-- A dump of the home database holds the schedules. Where another server restores it, they would write into the first one's storage.
CREATE FUNCTION pgbackup._is_adopted(schedule pgbackup.named_schedules) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ($1).token = pgbackup._token() OR ($1).place = pgbackup._place()
$$;
COMMENT ON FUNCTION pgbackup._is_adopted(pgbackup.named_schedules) IS
    'internal: whether a schedule was made or adopted in this catalog or on this server, and did not come with a copy of the database of another one';

CREATE TABLE pgbackup.schedule_states (
    schedule   text PRIMARY KEY,
    definition text NOT NULL,
    began      timestamptz NOT NULL,
    since      timestamptz NOT NULL
);
COMMENT ON TABLE pgbackup.schedule_states IS 'how far the launcher is with each schedule';
COMMENT ON COLUMN pgbackup.schedule_states.schedule IS 'name of the schedule';
COMMENT ON COLUMN pgbackup.schedule_states.definition IS 'what it was: another one starts anew';
COMMENT ON COLUMN pgbackup.schedule_states.began IS 'since when it has been that, and enabled: earlier slots are not its';
COMMENT ON COLUMN pgbackup.schedule_states.since IS 'slots up to this time are settled: they have rows in pgbackup.slots, or were before the schedule';

CREATE TABLE pgbackup.slots (
    schedule   text NOT NULL,
    slot       timestamptz NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('run', 'caught_up', 'skipped', 'missed')),
    first_slot timestamptz NOT NULL,
    slots      bigint NOT NULL DEFAULT 1,
    databases  text,
    skipped    name[] NOT NULL DEFAULT '{}',
    message    text,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schedule, slot, outcome)
);
CREATE UNIQUE INDEX slots_settled ON pgbackup.slots (schedule, slot) WHERE outcome <> 'missed';
CREATE INDEX slots_missed ON pgbackup.slots (slot) WHERE outcome = 'missed';
CREATE INDEX slots_to_forget ON pgbackup.slots (decided_at);
COMMENT ON TABLE pgbackup.slots IS 'what became of the times of schedules';
COMMENT ON COLUMN pgbackup.slots.schedule IS 'name of the schedule';
COMMENT ON COLUMN pgbackup.slots.slot IS 'the time; of several that were missed in a row, the last one';
COMMENT ON COLUMN pgbackup.slots.outcome IS 'run, caught_up (late, after the server had been down), skipped (message says why) or missed';
COMMENT ON COLUMN pgbackup.slots.first_slot IS 'of several that were missed in a row, the first one';
COMMENT ON COLUMN pgbackup.slots.slots IS 'how many';
COMMENT ON COLUMN pgbackup.slots.databases IS 'which databases it was for, as in pgbackup.databases; null when it was not run';
COMMENT ON COLUMN pgbackup.slots.skipped IS 'those of them that were skipped';
COMMENT ON COLUMN pgbackup.slots.message IS 'why it, or a database of it, was skipped';
COMMENT ON COLUMN pgbackup.slots.decided_at IS 'when this was decided';

CREATE FUNCTION pgbackup._cron_error(cron text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_cron_error';
COMMENT ON FUNCTION pgbackup._cron_error(text) IS 'internal: what is wrong with a cron expression and where, null when nothing';

CREATE FUNCTION pgbackup._cron_words(cron text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_cron_words';
COMMENT ON FUNCTION pgbackup._cron_words(text) IS 'internal: a cron expression in words';

CREATE FUNCTION pgbackup._next_run(cron text, timezone text, after timestamptz) RETURNS timestamptz
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_next_run';
COMMENT ON FUNCTION pgbackup._next_run(text, text, timestamptz) IS
    'internal: the first time of a cron expression after another, null for never and in a zone that is unknown; an empty zone is that of the settings';

CREATE FUNCTION pgbackup._last_run(cron text, timezone text, at timestamptz) RETURNS timestamptz
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_last_run';
COMMENT ON FUNCTION pgbackup._last_run(text, text, timestamptz) IS
    'internal: the last time of a cron expression at or before another, null for never and in a zone that is unknown; an empty zone is that of the settings';

CREATE FUNCTION pgbackup._jitter_delay(schedule text, jitter int) RETURNS interval
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_jitter_delay';
COMMENT ON FUNCTION pgbackup._jitter_delay(text, int) IS 'internal: how long after its times a schedule of this cluster starts, for a jitter in seconds';

CREATE FUNCTION pgbackup._timezone_exists(timezone text) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_timezone_exists';
COMMENT ON FUNCTION pgbackup._timezone_exists(text) IS 'internal: whether a time zone is known';

CREATE FUNCTION pgbackup._split_selection(databases text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_split_selection';
COMMENT ON FUNCTION pgbackup._split_selection(text) IS 'internal: the elements of a list such as pgbackup.databases, null when that is wrong';

CREATE FUNCTION pgbackup._matches(database text, element text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT $2 = '*' OR $1 LIKE replace(replace($2, E'\\', E'\\\\'), '_', E'\\_')
$$;
COMMENT ON FUNCTION pgbackup._matches(text, text) IS 'internal: whether a name is selected by an element of pgbackup.databases: *, a name, or one with % for any characters';

-- -2 marks what an interrupted DROP DATABASE has left.
CREATE VIEW pgbackup._open_databases AS
    SELECT d.oid, d.datname FROM pg_database d
     WHERE d.datallowconn AND d.datconnlimit <> -2 AND d.oid NOT IN (SELECT pgbackup._beside());
COMMENT ON VIEW pgbackup._open_databases IS
    'internal: databases that accept connections, which invalid ones do not, and that no restore is filling or keeps';

CREATE FUNCTION pgbackup._select_databases(databases text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH element AS (SELECT e FROM unnest(pgbackup._split_selection(databases)) AS e),
    named AS (
        SELECT d.datname::text AS name FROM pgbackup._open_databases d, element
         WHERE element.e !~ '^-' AND (element.e = '*' OR element.e LIKE E'%\\%%' AND pgbackup._matches(d.datname::text, element.e))
           AND d.datname NOT IN ('template0', 'template1') AND pgbackup._is_valid_name(d.datname)
        UNION
        SELECT e FROM element WHERE e !~ '^-' AND e <> '*' AND e NOT LIKE E'%\\%%')
    SELECT name FROM named
     WHERE NOT EXISTS (SELECT FROM element WHERE e ~ '^-' AND pgbackup._matches(name, substr(e, 2)))
     ORDER BY name
$$;
COMMENT ON FUNCTION pgbackup._select_databases(text) IS
    'internal: the databases that a list such as pgbackup.databases selects; one that is named is among them even if it does not exist';

CREATE FUNCTION pgbackup._hook_sql(setting text, database name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH element AS (
        SELECT e FROM unnest(pgbackup._split_selection(nullif(current_setting('pgbackup.hook_databases'), ''))) AS e)
    SELECT CASE WHEN EXISTS (SELECT FROM element WHERE e !~ '^-' AND pgbackup._matches(database::text, e))
                 AND NOT EXISTS (SELECT FROM element WHERE e ~ '^-' AND pgbackup._matches(database::text, substr(e, 2)))
                THEN current_setting('pgbackup.' || setting) ELSE '' END
$$;
COMMENT ON FUNCTION pgbackup._hook_sql(text, name) IS
    'internal: the SQL of pre_backup_sql or post_backup_sql that runs in a database; empty unless pgbackup.hook_databases selects it';

CREATE FUNCTION pgbackup._storage() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT current_setting('pgbackup.storage', true)
$$;
COMMENT ON FUNCTION pgbackup._storage() IS 'internal: pgbackup.storage, which is not everyone''s to read, for the views';

CREATE VIEW pgbackup.schedules AS
    SELECT s.name, s.cron, pgbackup._cron_words(s.cron) AS in_words, s.enabled, s.timezone, s.jitter, s.databases, s.content,
           s.format, s.label, s.storage, s.jobs, s.compression, s.retention_count, s.retention_days, s.retention_daily,
           s.retention_weekly, s.retention_monthly, s.retention_yearly
      FROM (SELECT 'default' AS name, current_setting('pgbackup.schedule', true) AS cron, current_setting('pgbackup.timezone', true) AS timezone,
                   current_setting('pgbackup.schedule', true) <> '' AND pgbackup._storage() <> '' AS enabled,
                   extract(epoch FROM current_setting('pgbackup.jitter', true)::interval)::int AS jitter,
                   current_setting('pgbackup.databases', true) AS databases, 'all' AS content,
                   current_setting('pgbackup.format', true) AS format, NULL AS label, pgbackup._storage() AS storage,
                   current_setting('pgbackup.jobs', true)::int AS jobs, current_setting('pgbackup.compression', true) AS compression,
                   NULL::int AS retention_count, NULL::int AS retention_days, NULL::int AS retention_daily,
                   NULL::int AS retention_weekly, NULL::int AS retention_monthly, NULL::int AS retention_yearly
            UNION ALL
            SELECT n.name, n.cron, coalesce(n.timezone, current_setting('pgbackup.timezone', true)),
                   n.enabled AND coalesce(n.storage, pgbackup._storage()) <> '' AND pgbackup._is_adopted(n),
                   coalesce(n.jitter, extract(epoch FROM current_setting('pgbackup.jitter', true)::interval)::int),
                   coalesce(n.databases, current_setting('pgbackup.databases', true)), coalesce(n.content, 'all'),
                   coalesce(n.format, current_setting('pgbackup.format', true)), n.label,
                   coalesce(n.storage, pgbackup._storage()),
                   coalesce(n.jobs, current_setting('pgbackup.jobs', true)::int),
                   coalesce(n.compression, current_setting('pgbackup.compression', true)),
                   n.retention_count, n.retention_days, n.retention_daily, n.retention_weekly, n.retention_monthly, n.retention_yearly
              FROM pgbackup.named_schedules n) AS s;
COMMENT ON VIEW pgbackup.schedules IS
    'every schedule, with what the settings add to it: default is that of pgbackup.schedule, the others were made by pgbackup.schedule(). One without a storage is not enabled, nor one that came with a copy of the home database of another server, until pgbackup.adopt_schedules()';

CREATE FUNCTION pgbackup._check_schedule_options(name text, cron text, databases text, timezone text, jitter interval,
    label text, storage text, retention int[]) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(name, '') = '' OR name IN ('default', 'verify_schedule') OR octet_length(name) > 63 OR name ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION 'invalid name of a schedule: %', coalesce(quote_literal(name), 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A name has 1 to 63 bytes, none of them a control character; "default" is the schedule of pgbackup.schedule, "verify_schedule" that of the setting.',
                  HINT = 'Use a name such as weekly.';
    END IF;
    IF cron IS NULL OR pgbackup._cron_error(cron) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid cron expression: %', coalesce(quote_literal(cron), 'null')
            USING ERRCODE = 'invalid_parameter_value', DETAIL = pgbackup._cron_error(cron),
                  HINT = 'A schedule has five fields: minute hour day-of-month month day-of-week, for example ''0 2 * * 0'' for every Sunday at two.';
    END IF;
    IF databases IS NOT NULL AND pgbackup._split_selection(databases) IS NULL THEN
        RAISE EXCEPTION 'invalid databases: %', quote_literal(databases)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use * for every database, or names separated by commas; -name leaves one out, and % stands for any characters: ''*,-scratch,-test_%''.';
    END IF;
    IF NOT pgbackup._timezone_exists(timezone) THEN
        RAISE EXCEPTION 'invalid time zone: %', quote_literal(timezone)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT name FROM pg_timezone_names lists those that are known.';
    END IF;
    IF jitter < interval '0' OR jitter > interval '24 hours' THEN
        RAISE EXCEPTION 'invalid jitter: %', jitter
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use an interval from 0 to 24 hours.';
    END IF;
    PERFORM pgbackup._check_label(label);
    PERFORM pgbackup._check_storage(storage);
    IF EXISTS (SELECT FROM unnest(retention) AS r WHERE r NOT BETWEEN 0 AND 36500) THEN
        RAISE EXCEPTION 'invalid retention'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use numbers from 0 to 36500; 0 is no such rule.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_schedule_options(text, text, text, text, interval, text, text, int[]) IS 'internal: raises an error for options that make no schedule';

CREATE FUNCTION pgbackup._check_may_schedule(what text, old pgbackup.named_schedules) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF old.created_by <> pgbackup._caller() THEN
        PERFORM pgbackup._require_delete(format('%s schedule %s', what, quote_literal(old.name)),
            format('It is a schedule of role "%s", so this takes the right to call pgbackup.delete().', old.created_by));
    ELSIF num_nonnulls(old.retention_count, old.retention_days, old.retention_daily, old.retention_weekly,
                       old.retention_monthly, old.retention_yearly) > 0 THEN
        PERFORM pgbackup._require_delete(format('%s schedule %s', what, quote_literal(old.name)),
            'It has retention settings, which keep or delete backups, so this takes the right to call pgbackup.delete().');
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_may_schedule(text, pgbackup.named_schedules) IS
    'internal: raises an error unless the caller may change or drop a schedule; not for a null one';

CREATE FUNCTION pgbackup.schedule(
    name text,
    cron text,
    databases text DEFAULT NULL,
    content text DEFAULT NULL,
    format text DEFAULT NULL,
    label text DEFAULT NULL,
    storage text DEFAULT NULL,
    jobs int DEFAULT NULL,
    compression text DEFAULT NULL,
    timezone text DEFAULT NULL,
    jitter interval DEFAULT NULL,
    enabled boolean DEFAULT true,
    retention_count int DEFAULT NULL,
    retention_days int DEFAULT NULL,
    retention_daily int DEFAULT NULL,
    retention_weekly int DEFAULT NULL,
    retention_monthly int DEFAULT NULL,
    retention_yearly int DEFAULT NULL) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    caller constant name := pgbackup._caller();
    old pgbackup.named_schedules;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('make schedule %s', quote_literal(name)));
    IF storage IS NOT NULL THEN
        PERFORM pgbackup._require_any_storage();
    END IF;
    PERFORM pgbackup._check_schedule_options(name, cron, databases, timezone, jitter, label, storage,
        ARRAY[retention_count, retention_days, retention_daily, retention_weekly, retention_monthly, retention_yearly]);
    PERFORM pgbackup._check_choice('content', coalesce(content, 'all'), '{all,schema,data}');
    PERFORM pgbackup._check_choice('format', coalesce(format, 'auto'), '{auto,parallel,custom,plain}');
    PERFORM pgbackup._check_jobs(jobs);
    PERFORM pgbackup._check_flag('enabled', enabled);
    PERFORM pgbackup._check_compression(compression);
    SELECT n.* INTO old FROM pgbackup.named_schedules n WHERE n.name = name FOR UPDATE;
    PERFORM pgbackup._check_may_schedule('change', old);
    IF num_nonnulls(retention_count, retention_days, retention_daily, retention_weekly, retention_monthly, retention_yearly) > 0 THEN
        PERFORM pgbackup._require_delete('set the retention of a schedule',
            'Retention deletes backups, so this takes the right to call pgbackup.delete().');
    END IF;
    IF (SELECT count(*) FROM pgbackup.named_schedules n WHERE n.name <> name) >= 63 THEN
        RAISE EXCEPTION 'too many schedules'
            USING ERRCODE = 'program_limit_exceeded', DETAIL = 'There can be 63 beside the default one.',
                  HINT = 'Drop one with pgbackup.unschedule(), or let one schedule do for several databases.';
    END IF;
    INSERT INTO pgbackup.named_schedules AS n
    VALUES (name, cron, databases, content, format, label, storage, jobs, compression, timezone,
            ceil(extract(epoch FROM jitter))::int, enabled, retention_count, retention_days, retention_daily,
            retention_weekly, retention_monthly, retention_yearly, caller)
    ON CONFLICT ON CONSTRAINT named_schedules_pkey DO UPDATE
       SET (cron, databases, content, format, label, storage, jobs, compression, timezone, jitter, enabled,
            retention_count, retention_days, retention_daily, retention_weekly, retention_monthly, retention_yearly, created_by,
            changed_at, token, place)
         = ROW (excluded.cron, excluded.databases, excluded.content, excluded.format, excluded.label, excluded.storage,
            excluded.jobs, excluded.compression, excluded.timezone, excluded.jitter, excluded.enabled,
            excluded.retention_count, excluded.retention_days, excluded.retention_daily, excluded.retention_weekly,
            excluded.retention_monthly, excluded.retention_yearly, excluded.created_by, clock_timestamp(),
            excluded.token, excluded.place)
     -- Another role may have made it since it was looked for.
     WHERE n.created_by = caller OR pgbackup._may_delete();
    IF NOT FOUND THEN
        SELECT n.* INTO old FROM pgbackup.named_schedules n WHERE n.name = name;
        PERFORM pgbackup._check_may_schedule('change', old);
    END IF;
    PERFORM pgbackup._wake_launcher();
    RETURN (SELECT pgbackup._next_start(s) FROM pgbackup.schedules s WHERE s.name = name);
END $$;
COMMENT ON FUNCTION pgbackup.schedule(text, text, text, text, text, text, text, int, text, text, interval, boolean, int, int, int, int, int, int) IS
    'makes a schedule, or changes the one of this name as a whole, and returns when it starts next. What is left out comes from the settings; with one of the retention_* rules, those of the settings do not count for its backups. These rules, and changing a schedule of another role, take the right to call pgbackup.delete()';

CREATE FUNCTION pgbackup.unschedule(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old pgbackup.named_schedules;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('drop schedule %s', quote_literal($1)));
    SELECT n.* INTO old FROM pgbackup.named_schedules n WHERE n.name = $1 FOR UPDATE;
    PERFORM pgbackup._check_may_schedule('drop', old);
    DELETE FROM pgbackup.named_schedules n WHERE n.name = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no schedule %', coalesce(quote_literal($1), 'null')
            USING ERRCODE = 'undefined_object',
                  HINT = CASE WHEN $1 = 'default' THEN 'ALTER SYSTEM SET pgbackup.schedule = '''' ends the default one.'
                              ELSE 'SELECT name FROM pgbackup.schedules shows those that there are.' END;
    END IF;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup.unschedule(text) IS 'drops a schedule, one of another role or with retention settings only with the right to call pgbackup.delete(); its backups stay, from then on with the retention of the settings';

CREATE FUNCTION pgbackup.adopt_schedules(name text DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('adopt %s', coalesce('schedule ' || quote_literal($1), 'all schedules')));
    RETURN QUERY UPDATE pgbackup.named_schedules n
                    SET token = pgbackup._token(), place = pgbackup._place(), changed_at = clock_timestamp()
                  WHERE n.name = coalesce($1, n.name) AND NOT pgbackup._is_adopted(n)
              RETURNING n.name;
    IF $1 IS NOT NULL AND NOT EXISTS (SELECT FROM pgbackup.named_schedules n WHERE n.name = $1) THEN
        RAISE EXCEPTION 'there is no schedule %', quote_literal($1)
            USING ERRCODE = 'undefined_object',
                  HINT = 'SELECT name FROM pgbackup.schedules shows those that there are.';
    END IF;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup.adopt_schedules(text) IS
    'has the schedules (or the one of that name) run here that came with a copy of the home database of another server, and returns their names: when this server takes the place of the other one, or is to have the same schedules. Look at their storages first: SELECT name, storage FROM pgbackup.schedules';

CREATE FUNCTION pgbackup._next_start(schedule pgbackup.schedules) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pgbackup._next_run(($1).cron, ($1).timezone, clock_timestamp() - delay) + delay
      FROM pgbackup._jitter_delay(($1).name, ($1).jitter) AS delay WHERE ($1).enabled
$$;
COMMENT ON FUNCTION pgbackup._next_start(pgbackup.schedules) IS 'internal: when a schedule starts next, its jitter included; null for never';

CREATE FUNCTION pgbackup.schedule_status()
    RETURNS TABLE (name text, enabled boolean, cron text, in_words text, timezone text, last_run timestamptz, last_status text,
                   last_duration interval, next_run timestamptz, missed bigint, skipped bigint, running bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.name, s.enabled, s.cron, s.in_words, s.timezone, l.started_at, l.status, l.duration, pgbackup._next_start(s),
           (SELECT coalesce(sum(m.slots), 0)::bigint FROM pgbackup.slots m WHERE m.schedule = s.name AND m.outcome = 'missed'),
           (SELECT count(*) FROM pgbackup.slots k WHERE k.schedule = s.name AND k.outcome = 'skipped'),
           (SELECT count(*) FROM pgbackup.backups r WHERE r.schedule = s.name AND r.status = 'in_progress')
      FROM pgbackup.schedules s
      LEFT JOIN LATERAL (
        SELECT min(b.started_at) AS started_at, max(b.finished_at) - min(b.started_at) AS duration,
               CASE WHEN bool_or(b.status IN ('pending', 'in_progress')) THEN 'in_progress' WHEN bool_or(b.status = 'failed') THEN 'failed'
                    WHEN bool_or(b.status = 'cancelled') THEN 'cancelled' WHEN count(*) > 0 THEN 'completed' END AS status
          FROM (SELECT DISTINCT ON (o.database) o.* FROM pgbackup.backups o
                 WHERE o.schedule = s.name AND o.slot = (SELECT max(x.slot) FROM pgbackup.backups x WHERE x.schedule = s.name)
                 ORDER BY o.database, o.id DESC) AS b) AS l ON true
     ORDER BY s.name <> 'default', s.name
$$;
COMMENT ON FUNCTION pgbackup.schedule_status() IS
    'every schedule with its last run (of all its databases, the last attempt at each), when the next one is, how many backups of it run now, and how many of its times of the last 35 days were missed or skipped (pgbackup.slots says why)';

-- A view, which is planned together with what asks: the launcher does at every wake-up.
CREATE VIEW pgbackup._running_schedules AS
    SELECT s.name, s.cron, s.timezone, s.jitter, s.enabled FROM pgbackup.schedules s
    UNION ALL
    SELECT 'verify_schedule', v.cron, current_setting('pgbackup.timezone', true), 0, v.cron <> ''
      FROM (SELECT coalesce(current_setting('pgbackup.verify_schedule', true), '')) AS v (cron);
COMMENT ON VIEW pgbackup._running_schedules IS 'internal: what the launcher waits for: the schedules of backups, and pgbackup.verify_schedule';

CREATE FUNCTION pgbackup._sync_schedules(at timestamptz)
    RETURNS TABLE (name text, cron text, timezone text, delay bigint, since timestamptz)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO pgbackup.schedule_states AS t (schedule, definition, began, since)
    SELECT s.name, concat_ws(' in ', s.cron, nullif(s.timezone, '')), at, at FROM pgbackup._running_schedules s
     WHERE s.enabled AND NOT EXISTS (SELECT FROM pgbackup.schedule_states t WHERE t.schedule = s.name
                                        AND t.definition = concat_ws(' in ', s.cron, nullif(s.timezone, '')))
    ON CONFLICT (schedule) DO UPDATE SET definition = excluded.definition, began = excluded.began, since = excluded.since;
    DELETE FROM pgbackup.schedule_states t
     WHERE NOT EXISTS (SELECT FROM pgbackup._running_schedules s WHERE s.name = t.schedule AND s.enabled);
    -- When the clock has been set back, what was missed by its wrong time is still to come.
    UPDATE pgbackup.schedule_states t
       SET began = least(at, t.began),
           since = least(at, (SELECT min(m.first_slot) - interval '1 second' FROM pgbackup.slots m
                               WHERE m.schedule = t.schedule AND m.outcome = 'missed' AND m.slot > at))
     WHERE t.since > at;
    DELETE FROM pgbackup.slots m WHERE m.outcome = 'missed' AND m.slot > at;
    RETURN QUERY SELECT s.name, s.cron, s.timezone, extract(epoch FROM pgbackup._jitter_delay(s.name, s.jitter))::bigint, t.since
                   FROM pgbackup._running_schedules s JOIN pgbackup.schedule_states t ON t.schedule = s.name ORDER BY s.name;
END $$;
COMMENT ON FUNCTION pgbackup._sync_schedules(timestamptz) IS
    'internal: the schedules that run, each with how far it is; a new or changed one begins at that time';

CREATE FUNCTION pgbackup._start_slot(schedule text, slot timestamptz, OUT started bigint, OUT message text, OUT databases text, OUT skipped name[])
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    s pgbackup.schedules;
    wanted name[];
BEGIN
    SELECT v.* INTO s FROM pgbackup.schedules v WHERE v.name = schedule;
    databases := s.databases;
    wanted := ARRAY(SELECT pgbackup._select_databases(s.databases));
    -- One that waits to be tried again makes way for the new run.
    SELECT coalesce(array_agg(b.database), '{}'), string_agg(format('backup %s of database "%s" is still %s', b.id, b.database,
               CASE b.status WHEN 'pending' THEN 'waiting' ELSE 'under way' END), '; ' ORDER BY b.id)
      INTO skipped, message FROM pgbackup.backups b
     WHERE b.schedule = schedule AND b.slot < slot AND b.database = ANY (wanted)
       AND (b.status = 'in_progress' OR b.status = 'pending' AND b.not_before IS NULL);
    INSERT INTO pgbackup.backups (database, storage, backup_type, schedule, slot, label, format, created_by, options)
    SELECT w.name, s.storage, 'scheduled', s.name, slot, s.label, s.format, session_user,
           jsonb_build_object('content', s.content, 'format', s.format, 'jobs', s.jobs, 'compression', s.compression)
      FROM unnest(wanted) AS w (name) WHERE w.name <> ALL (skipped) ORDER BY w.name;
    GET DIAGNOSTICS started = ROW_COUNT;
    IF cardinality(wanted) = 0 THEN
        message := 'no database is selected';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._start_slot(text, timestamptz) IS
    'internal: queues the backups of a schedule''s time, but of databases whose earlier run is not over; message names these';

CREATE FUNCTION pgbackup._settle_slots(schedule text, due timestamptz, late boolean, missed bigint,
    first_missed timestamptz, last_missed timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    settled_before bigint;
    began record;
BEGIN
    IF missed > 0 THEN
        SELECT count(*) INTO settled_before FROM pgbackup.slots t
         WHERE t.schedule = schedule AND t.outcome <> 'missed' AND t.slot BETWEEN first_missed AND last_missed;
        INSERT INTO pgbackup.slots (schedule, slot, outcome, first_slot, slots, message)
        SELECT schedule, last_missed, 'missed', first_missed, missed - settled_before,
               'the server was down or its clock was set forward'
         WHERE missed > settled_before
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RAISE LOG 'pgbackup: schedule "%" has missed % times, the last one at %', schedule, missed - settled_before, last_missed;
        END IF;
    END IF;
    UPDATE pgbackup.schedule_states t SET since = coalesce(due, last_missed) WHERE t.schedule = schedule;
    IF due IS NULL THEN
        RETURN 0;
    END IF;
    -- When the clock was set back, it may have been settled before.
    INSERT INTO pgbackup.slots (schedule, slot, outcome, first_slot)
    VALUES (schedule, due, CASE WHEN late THEN 'caught_up' ELSE 'run' END, due)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF schedule = 'verify_schedule' THEN
        SELECT p.started, p.message, NULL::text AS databases, '{}'::name[] AS skipped INTO began FROM pgbackup._start_proofs() AS p;
    ELSE
        SELECT * INTO began FROM pgbackup._start_slot(schedule, due);
    END IF;
    UPDATE pgbackup.slots t
       SET outcome = CASE WHEN began.started = 0 AND began.message IS NOT NULL THEN 'skipped' ELSE t.outcome END,
           message = began.message, databases = began.databases, skipped = began.skipped
     WHERE t.schedule = schedule AND t.slot = due AND t.outcome <> 'missed';
    IF began.message IS NOT NULL THEN
        RAISE LOG 'pgbackup: schedule "%" at %: %', schedule, due, left(began.message, 1000);
    END IF;
    RETURN began.started;
END $$;
COMMENT ON FUNCTION pgbackup._settle_slots(text, timestamptz, boolean, bigint, timestamptz, timestamptz) IS
    'internal: records what becomes of times of a schedule, and queues the backups (or proofs) of the one that is due; returns how many';
