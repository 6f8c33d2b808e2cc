--
-- Numbers about backups
--

CREATE FUNCTION pgbackup.stats(database name DEFAULT NULL)
    RETURNS TABLE (
        database name,
        backups bigint, completed bigint, failed bigint, cancelled bigint, expired bigint,
        success_rate numeric,
        oldest_backup timestamptz, newest_backup timestamptz,
        stored_bytes bigint, average_size bigint, average_duration interval,
        completed_24h bigint, failed_24h bigint, completed_7d bigint, failed_7d bigint,
        compression_ratio numeric, throughput bigint, throughput_trend numeric,
        storage_used jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH run AS (
        SELECT b.*, b.status IN ('completed', 'expired') AS succeeded,
               extract(epoch FROM b.duration) AS seconds,
               row_number() OVER (PARTITION BY b.database, b.status IN ('completed', 'expired')
                                  ORDER BY b.id DESC) AS age
          FROM pgbackup.backups b
         WHERE ($1 IS NULL OR b.database = $1) AND b.status NOT IN ('pending', 'in_progress')),
    speed AS (
        SELECT s.database, max(s.rate) FILTER (WHERE s.part = 0) AS now, max(s.rate) FILTER (WHERE s.part = 1) AS before
          FROM (SELECT r.database, (r.age - 1) / 5 AS part, sum(r.raw_size) / nullif(sum(r.seconds), 0) AS rate
                  FROM run r WHERE r.succeeded AND r.age <= 10 GROUP BY r.database, (r.age - 1) / 5) AS s
         GROUP BY s.database),
    place AS (
        SELECT p.database, jsonb_object_agg(p.storage, p.bytes) AS storage_used
          FROM (SELECT b.database, pgbackup._storage_place(s.storage) AS storage, sum(s.bytes) AS bytes
                  FROM pgbackup.backups b,
                       LATERAL (SELECT b.storage, b.file_size
                                UNION ALL
                                SELECT c.storage, c.file_size FROM pgbackup.copies c
                                 WHERE c.backup_id = b.id AND c.status = 'completed') AS s (storage, bytes)
                 WHERE b.status = 'completed' AND ($1 IS NULL OR b.database = $1)
                 GROUP BY b.database, pgbackup._storage_place(s.storage)) AS p
         GROUP BY p.database)
    SELECT r.database,
           count(*), count(*) FILTER (WHERE r.status = 'completed'), count(*) FILTER (WHERE r.status = 'failed'),
           count(*) FILTER (WHERE r.status = 'cancelled'), count(*) FILTER (WHERE r.status = 'expired'),
           round(100.0 * count(*) FILTER (WHERE r.succeeded)
                 / nullif(count(*) FILTER (WHERE r.succeeded OR r.status = 'failed'), 0), 1),
           min(r.finished_at) FILTER (WHERE r.status = 'completed'),
           max(r.finished_at) FILTER (WHERE r.status = 'completed'),
           coalesce(sum(r.file_size) FILTER (WHERE r.status = 'completed'), 0)::bigint,
           (avg(r.file_size) FILTER (WHERE r.succeeded))::bigint,
           avg(r.duration) FILTER (WHERE r.succeeded),
           count(*) FILTER (WHERE r.succeeded AND r.finished_at > now() - interval '24 hours'),
           count(*) FILTER (WHERE r.status = 'failed' AND r.finished_at > now() - interval '24 hours'),
           count(*) FILTER (WHERE r.succeeded AND r.finished_at > now() - interval '7 days'),
           count(*) FILTER (WHERE r.status = 'failed' AND r.finished_at > now() - interval '7 days'),
           round(sum(r.raw_size) FILTER (WHERE r.succeeded) / nullif(sum(r.file_size) FILTER (WHERE r.succeeded), 0), 2),
           max(s.now)::bigint, round(max(s.now) / nullif(max(s.before), 0), 2),
           coalesce((array_agg(p.storage_used))[1], '{}')
      FROM run r
      LEFT JOIN speed s ON s.database = r.database
      LEFT JOIN place p ON p.database = r.database
     GROUP BY r.database
     ORDER BY r.database
$$;
COMMENT ON FUNCTION pgbackup.stats(name) IS
    'one row per database that has been backed up, or the given one: how many runs ended how, success_rate (percent of those that completed or failed), oldest and newest backup there is, sizes in bytes (stored_bytes: what there is now), counts of the last 24 hours and 7 days, compression_ratio (dumped / stored), throughput of the last five (dumped bytes per second), throughput_trend (that divided by the throughput of the five before), and bytes per storage';
