--
-- Numbers for Prometheus. The names follow https://prometheus.io/docs/practices/naming/.
--

CREATE FUNCTION pgbackup._series()
    RETURNS TABLE (rank int, name text, type text, help text, database name, key text, label text, value double precision)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    WITH health AS MATERIALIZED (SELECT * FROM pgbackup.health()),
    ended AS MATERIALIZED (SELECT * FROM pgbackup._current_totals()),
    newest AS MATERIALIZED (
        SELECT g.* FROM (SELECT e.database FROM ended e WHERE e.completed > 0) AS d, LATERAL (
            SELECT b.database, b.started_at, b.duration, b.file_size, b.raw_size, b.database_size
              FROM pgbackup.backups b WHERE b.database = d.database AND b.status = 'completed' ORDER BY b.id DESC LIMIT 1) AS g),
    metric (rank, name, type, help, database, key, label, value) AS (
        -- On a standby there is none, and none is missing.
        SELECT 1, 'pgbackup_launcher_up', 'gauge', 'Whether the launcher runs and responds; not on a standby.', NULL::name, NULL, NULL,
               CASE WHEN pg_is_in_recovery() THEN NULL WHEN l.pid IS NULL OR l.is_stuck THEN 0 ELSE 1 END::double precision
          FROM pgbackup._launcher_state() AS l
        UNION ALL
        SELECT 1, 'pgbackup_launcher_last_round_timestamp_seconds', 'gauge', 'When the launcher was last seen to get ahead.', NULL, NULL, NULL,
               extract(epoch FROM l.last_round_at) FROM pgbackup._launcher_state() AS l
        UNION ALL
        SELECT 2, 'pgbackup_runs_in_progress', 'gauge', 'Runs that have begun and not ended.', NULL, 'kind', k.kind,
               (SELECT count(*) FROM pgbackup._progress() AS p WHERE p.kind = k.kind)
          FROM unnest('{backup,restore,copy}'::text[]) AS k (kind)
        UNION ALL
        SELECT 3, 'pgbackup_health_status', 'gauge', 'What pgbackup.health() says: 0 healthy, 1 warning, 2 critical.', h.database, NULL, NULL,
               array_position('{healthy,warning,critical}', h.status) - 1 FROM health h
        UNION ALL
        SELECT 4, 'pgbackup_last_success_timestamp_seconds', 'gauge', 'When the newest backup began.', n.database, NULL, NULL,
               extract(epoch FROM n.started_at) FROM newest n
        UNION ALL
        SELECT 5, 'pgbackup_last_duration_seconds', 'gauge', 'How long the newest backup took.', n.database, NULL, NULL,
               extract(epoch FROM n.duration) FROM newest n
        UNION ALL
        SELECT 6, 'pgbackup_last_stored_bytes', 'gauge', 'What the newest backup takes in its storage.', n.database, NULL, NULL, n.file_size FROM newest n
        UNION ALL
        SELECT 7, 'pgbackup_last_dumped_bytes', 'gauge', 'What pg_dump wrote for the newest backup.', n.database, NULL, NULL, n.raw_size FROM newest n
        UNION ALL
        SELECT 8, 'pgbackup_last_database_bytes', 'gauge', 'Size of the database at the newest backup.', n.database, NULL, NULL, n.database_size FROM newest n
        UNION ALL
        SELECT 9, 'pgbackup_last_verified_timestamp_seconds', 'gauge', 'When a backup was last proved good.', n.database, NULL, NULL,
               extract(epoch FROM p.at) FROM newest n, LATERAL (
            SELECT max(b.verified_at) AS at FROM pgbackup.backups b
             WHERE b.database = n.database AND b.status = 'completed' AND b.verified_at IS NOT NULL) AS p
        UNION ALL
        SELECT 10, 'pgbackup_runs', 'gauge', 'Backups in the catalog by how they ended.', e.database, 'status', c.status, c.count
          FROM ended e, LATERAL (VALUES ('completed', e.completed), ('failed', e.failed), ('cancelled', e.cancelled),
                                        ('expired', e.expired)) AS c (status, count)
        UNION ALL
        SELECT 11, 'pgbackup_stored_bytes', 'gauge', 'What all backups take.', e.database, 'storage', u.key, u.value::double precision
          FROM ended e, jsonb_each_text(e.storage_used) AS u
        UNION ALL
        SELECT 12, 'pgbackup_next_backup_timestamp_seconds', 'gauge', 'When the schedule is due next.', NULL, NULL, NULL,
               extract(epoch FROM s.next) FROM (SELECT min(pgbackup._next_start(n)) FROM pgbackup.schedules n) AS s (next) WHERE s.next IS NOT NULL
        UNION ALL
        SELECT 13, 'pgbackup_last_proof_failed', 'gauge', 'Whether the last verification of a backup failed.', n.database, NULL, NULL,
               CASE WHEN n.database IN (SELECT f.database FROM pgbackup._failed_proofs(ARRAY(SELECT w.database FROM newest w)) AS f)
                    THEN 1 ELSE 0 END FROM newest n
        UNION ALL
        SELECT 14, m.name, m.type, m.help, NULL, 'channel', c.channel, m.value
          FROM unnest('{webhook,mail}'::text[]) AS c (channel),
               LATERAL (SELECT count(*), extract(epoch FROM clock_timestamp() - min(n.created_at)) AS age
                          FROM pgbackup.notifications n WHERE n.channel = c.channel) AS n,
               LATERAL (VALUES
                   ('pgbackup_notifications_undelivered', 'gauge', 'Notifications that some target has not received.', n.count::double precision),
                   ('pgbackup_notifications_oldest_age_seconds', 'gauge', 'Age of the oldest of them; 0 when there is none.', greatest(coalesce(n.age, 0), 0)),
                   ('pgbackup_notifications_given_up_total', 'counter', 'Notifications that were not delivered and are not sent any more.',
                    coalesce((SELECT t.given_up FROM pgbackup.notification_targets t WHERE t.channel = c.channel AND t.target = ''), 0)))
               AS m (name, type, help, value))
    SELECT * FROM metric m WHERE m.value IS NOT NULL
$$;
COMMENT ON FUNCTION pgbackup._series() IS
    'internal: the series of pgbackup.metrics: labels are database and key, where they are not null; rank is the place of a metric';

CREATE FUNCTION pgbackup._metrics()
    RETURNS TABLE (name text, type text, help text, labels jsonb, value double precision)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off AS $$
    SELECT s.name, s.type, s.help,
           CASE WHEN s.database IS NOT NULL AND s.key IS NOT NULL THEN jsonb_build_object('database', s.database, s.key, s.label)
                WHEN s.database IS NOT NULL THEN jsonb_build_object('database', s.database)
                WHEN s.key IS NOT NULL THEN jsonb_build_object(s.key, s.label) ELSE '{}' END, s.value
      FROM pgbackup._series() AS s
     ORDER BY s.rank, s.name DESC, s.database, s.label
$$;
COMMENT ON FUNCTION pgbackup._metrics() IS 'internal: the rows of pgbackup.metrics';

CREATE VIEW pgbackup.metrics AS SELECT * FROM pgbackup._metrics();
COMMENT ON VIEW pgbackup.metrics IS 'numbers for Prometheus: name, type, help, labels and value of each series';

CREATE FUNCTION pgbackup._metrics_label(key text, value text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_metrics_label';
COMMENT ON FUNCTION pgbackup._metrics_label(text, text) IS 'internal: a label in Prometheus'' text format';

CREATE FUNCTION pgbackup.metrics_text() RETURNS text
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' SET jit = off AS $$
    -- In the order of the text: to sort each metric by itself takes as long again.
    WITH series AS (
        SELECT s.rank, s.name COLLATE "C" AS name, s.type, s.help, s.value,
               concat_ws(',', pgbackup._metrics_label('database', s.database), pgbackup._metrics_label(s.key, s.label)) AS labels
          FROM pgbackup._series() AS s
         ORDER BY s.rank, 2, s.database, s.label COLLATE "C"),
    metric AS (
        SELECT s.rank, s.name, format(E'# HELP %s %s\n# TYPE %s %s\n', s.name, min(s.help), s.name, min(s.type))
               || string_agg(s.name || CASE s.labels WHEN '' THEN '' ELSE '{' || s.labels || '}' END || ' ' || s.value || E'\n', '') AS text
          FROM series s GROUP BY s.rank, s.name)
    SELECT string_agg(m.text, '' ORDER BY m.rank, m.name DESC) FROM metric m
$$;
COMMENT ON FUNCTION pgbackup.metrics_text() IS
    'pgbackup.metrics in Prometheus'' text format (version 0.0.4), for the textfile collector of node_exporter or for PostgREST';
