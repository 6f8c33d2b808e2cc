--
-- Checking the setup (src/pg/sql_check.cpp)
--

CREATE FUNCTION pgbackup._ask_check(needed_bytes bigint, storage text, with_server boolean) RETURNS jsonb
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_check';
COMMENT ON FUNCTION pgbackup._ask_check(bigint, text, boolean) IS 'internal: has an agent try a storage, unless that is empty, and with_server also programs and connection';

CREATE FUNCTION pgbackup._check_schema() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'schema', 'error', format('other roles may create objects in schema "pgbackup": %s', string_agg(DISTINCT o.name, ', ')),
           'Have a superuser own the schema, REVOKE CREATE ON SCHEMA pgbackup from all others, and drop what they have made there: functions of pgbackup could call it.'
      FROM pg_namespace n,
           LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                      FROM aclexplode(n.nspacl) AS x WHERE x.privilege_type = 'CREATE' AND x.grantee <> n.nspowner
                    UNION ALL
                    SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = n.nspowner AND NOT r.rolsuper) AS o (name)
     WHERE n.nspname = 'pgbackup'
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._check_schema() IS 'internal: the row about the schema, if others can create objects in it';

CREATE FUNCTION pgbackup._check_extension() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'extension', 'warning', format('it belongs to role "%s", which is not a superuser and can drop it', r.rolname),
           'What belongs to it is the bootstrap superuser''s, but an extension cannot be given away. Make the role a superuser again or, as a superuser, DROP EXTENSION pgbackup, create it anew, and SELECT pgbackup.import().'
      FROM pg_extension e JOIN pg_roles r ON r.oid = e.extowner WHERE e.extname = 'pgbackup' AND NOT r.rolsuper
$$;
COMMENT ON FUNCTION pgbackup._check_extension() IS 'internal: the row about the owner of the extension, if it is no superuser';

CREATE FUNCTION pgbackup._check_library() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'library', CASE l.status WHEN 'critical' THEN 'error' ELSE l.status END, l.reason, l.hint FROM pgbackup._library_problems() AS l
$$;
COMMENT ON FUNCTION pgbackup._check_library() IS 'internal: rows about the library, if its file or its version is not what it should be';

CREATE FUNCTION pgbackup._check_launcher() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'launcher',
           CASE WHEN t.errors IS NOT NULL OR l.is_stuck THEN 'error' WHEN pid IS NOT NULL THEN 'ok' WHEN pg_is_in_recovery() THEN 'warning' ELSE 'error' END,
           CASE WHEN l.is_stuck THEN format('runs as process %s, but has not responded since %s', pid, to_char(l.last_round_at, 'YYYY-MM-DD HH24:MI TZ'))
                WHEN t.errors IS NOT NULL THEN format('runs as process %s and has met %s error%s since %s: %s', pid, t.errors,
                                                      CASE WHEN t.errors > 1 THEN 's' END, to_char(t.since, 'YYYY-MM-DD HH24:MI TZ'), t.message)
                WHEN pid IS NOT NULL THEN format('runs as process %s', pid)
                WHEN pg_is_in_recovery() THEN 'does not run on a standby'
                ELSE format('has not run since %s', to_char(l.since, 'YYYY-MM-DD HH24:MI TZ')) END,
           CASE WHEN l.is_stuck THEN format('Find out what holds it up: SELECT wait_event_type, wait_event, pg_blocking_pids(pid) FROM pg_stat_activity WHERE pid = %s.', pid)
                WHEN t.errors IS NOT NULL THEN 'It tries again, at least once a minute; the server''s log has the whole error.'
                WHEN pid IS NOT NULL THEN NULL
                WHEN pg_is_in_recovery() THEN 'Backups are made on the primary.'
                ELSE 'Look in the server''s log for why it ended; the server starts it again within ten seconds.' END
      FROM pgbackup._launcher_state() AS l, pgbackup._launcher_trouble() AS t
$$;
COMMENT ON FUNCTION pgbackup._check_launcher() IS 'internal: the row about the launcher';

CREATE FUNCTION pgbackup._check_schedule() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'schedule',
           CASE WHEN next IS NULL THEN 'warning' ELSE 'ok' END,
           CASE WHEN next IS NULL THEN 'no backup is scheduled' ELSE format('next at %s', next) END,
           CASE WHEN next IS NULL THEN 'Set pgbackup.storage and pgbackup.schedule, or start backups with pgbackup.run().' END
      FROM (SELECT min(pgbackup._next_start(s)) FROM pgbackup.schedules s) AS n (next)
$$;
COMMENT ON FUNCTION pgbackup._check_schedule() IS 'internal: the row about the schedule';

CREATE FUNCTION pgbackup._check_databases() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH named AS (
        SELECT n.name, d.datallowconn
          FROM pgbackup._select_databases(current_setting('pgbackup.databases')) AS n (name)
          LEFT JOIN pg_database d ON d.datname = n.name),
    problem AS (
        SELECT string_agg(format(CASE WHEN datallowconn IS NULL THEN 'database "%s" does not exist'
                                      ELSE 'database "%s" accepts no connections' END, name), ', ' ORDER BY name) AS words
          FROM named WHERE datallowconn IS NOT TRUE),
    unnamed AS (
        SELECT string_agg(format('database "%s" has a name that is not text in the encoding of this one, so no schedule backs it up',
                                 pgbackup._shown_name(d.datname)), ', ') AS words
          FROM pg_database d WHERE NOT pgbackup._is_valid_name(d.datname))
    SELECT 'databases', CASE WHEN p.words IS NOT NULL THEN 'error' WHEN u.words IS NOT NULL THEN 'warning' ELSE 'ok' END,
           coalesce(p.words, u.words, format('pgbackup.databases = %s', current_setting('pgbackup.databases'))),
           CASE WHEN p.words IS NOT NULL THEN 'Correct pgbackup.databases: every scheduled run of these will fail.'
                WHEN u.words IS NOT NULL THEN 'Rename it, or drop it.' END
      FROM problem p, unnamed u
$$;
COMMENT ON FUNCTION pgbackup._check_databases() IS 'internal: the row about pgbackup.databases';

CREATE FUNCTION pgbackup._check_hooks() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'hooks', 'warning', 'pgbackup.pre_backup_sql or pgbackup.post_backup_sql is set, but runs in no database',
           'Set pgbackup.hook_databases to the databases where it is to run.'
     WHERE current_setting('pgbackup.hook_databases') = ''
       AND (current_setting('pgbackup.pre_backup_sql') <> '' OR current_setting('pgbackup.post_backup_sql') <> '')
$$;
COMMENT ON FUNCTION pgbackup._check_hooks() IS 'internal: a row when SQL around backups runs nowhere';

CREATE FUNCTION pgbackup._check_notifications() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'notifications by ' || c.channel, CASE WHEN p.reasons IS NULL AND u.count IS NULL THEN 'ok' ELSE 'warning' END,
           coalesce(p.reasons, u.count || ' wait: ' || u.message, 'none waits'),
           CASE WHEN p.reasons IS NOT NULL OR u.count IS NOT NULL
                THEN 'Correct what the message names; sending is tried again for a day. pgbackup.notification_targets shows each target.' END
      FROM (VALUES ('webhook', 'webhook_url_file'), ('mail', 'notify_email')) AS c (channel, setting),
           LATERAL (SELECT string_agg(d.reason, '; ') FROM pgbackup._delivery_problems() AS d WHERE d.channel = c.channel) AS p (reasons),
           -- What has failed shows here before it is old enough for health().
           LATERAL (SELECT sum(o.notifications), min(o.message) FROM pgbackup._undelivered() AS o
                     WHERE o.channel = c.channel AND o.message IS NOT NULL) AS u (count, message)
     WHERE current_setting('pgbackup.' || c.setting, true) <> ''
$$;
COMMENT ON FUNCTION pgbackup._check_notifications() IS 'internal: a row for each channel that notifications are sent by';

CREATE FUNCTION pgbackup._check_storage_setting() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'storage', CASE WHEN problem IS NULL THEN 'ok' ELSE 'error' END, coalesce(problem, url),
           CASE WHEN problem IS NOT NULL
                THEN 'ALTER SYSTEM SET pgbackup.storage = ''s3://bucket/prefix'' or ''file:///path''; then SELECT pg_reload_conf().' END
      FROM (SELECT url, CASE WHEN url = '' THEN 'no storage is set' ELSE pgbackup._storage_error(url) END AS problem
              FROM current_setting('pgbackup.storage') AS url) AS s
$$;
COMMENT ON FUNCTION pgbackup._check_storage_setting() IS 'internal: the row about pgbackup.storage';

CREATE FUNCTION pgbackup._check_agent(storage text, with_server boolean) RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- What the next round of backups may take: the last one of every database.
    needed bigint := coalesce(sum(file_size), 0)::bigint
        FROM (SELECT DISTINCT ON (b.database) b.file_size FROM pgbackup.backups b
               WHERE b.status = 'completed' ORDER BY b.database, b.id DESC) AS last;
    why text;
    what_to_do text;
BEGIN
    RETURN QUERY SELECT r->>'item', r->>'status', r->>'detail', r->>'hint'
                   FROM jsonb_array_elements(pgbackup._ask_check(needed, storage, with_server)->'rows') AS r;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL, what_to_do = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT 'agent', 'error', SQLERRM || coalesce('. ' || nullif(why, ''), ''), nullif(what_to_do, '');
END $$;
COMMENT ON FUNCTION pgbackup._check_agent(text, boolean) IS 'internal: the rows an agent finds out about a storage, and with_server about the programs and the connection';

CREATE FUNCTION pgbackup.check() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home text := current_setting('pgbackup.home_database', true);
BEGIN
    IF NOT pgbackup._is_preloaded() THEN
        RETURN QUERY VALUES ('server', 'error', 'pgbackup is not loaded by this server',
            'Add to postgresql.conf: shared_preload_libraries = ''pgbackup'' and restart the server.');
        RETURN;
    ELSIF home <> current_database() THEN
        RETURN QUERY VALUES ('server', 'error',
            format('pgbackup works from database "%s", not from "%s"', home, current_database()),
            format('Connect to "%s", or set pgbackup.home_database in postgresql.conf and restart the server.', home));
        RETURN;
    END IF;
    RETURN QUERY VALUES ('server', 'ok', 'pgbackup is preloaded', NULL);
    RETURN QUERY SELECT * FROM pgbackup._check_schema();
    RETURN QUERY SELECT * FROM pgbackup._check_extension();
    RETURN QUERY SELECT * FROM pgbackup._check_library();
    RETURN QUERY SELECT * FROM pgbackup._check_settings();
    RETURN QUERY SELECT * FROM pgbackup._check_launcher();
    RETURN QUERY SELECT * FROM pgbackup._check_schedule();
    RETURN QUERY SELECT * FROM pgbackup._check_databases();
    RETURN QUERY SELECT * FROM pgbackup._check_hooks();
    RETURN QUERY SELECT * FROM pgbackup._check_notifications();
    RETURN QUERY SELECT * FROM pgbackup._check_storage_setting();
    RETURN QUERY SELECT * FROM pgbackup._check_agent(current_setting('pgbackup.storage'), true);
    RETURN QUERY SELECT format('copy %s: %s', w.n, c.item), c.status, c.detail, c.hint
                   FROM pgbackup._wanted_copies(current_setting('pgbackup.storage')) WITH ORDINALITY AS w (storage, n),
                        pgbackup._check_agent(w.storage, false) AS c;
END $$;
COMMENT ON FUNCTION pgbackup.check() IS
    'tries everything that backups and restores need, the storage with small objects that it removes again; one row for each thing, status ok, warning, error or skipped, and a hint on what to do';
