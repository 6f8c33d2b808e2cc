--
-- Notifications that do not arrive, for health(), check() and metrics
--

CREATE FUNCTION pgbackup._undelivered() RETURNS TABLE (channel text, whereto text, notifications bigint, since timestamptz, message text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- The channel as a whole where that fails, or its targets are not known yet.
    WITH whole AS (
        SELECT c.channel, t.message,
               coalesce(t.attempts, 0) > 0
               OR NOT EXISTS (SELECT FROM pgbackup.notification_targets o WHERE o.channel = c.channel AND o.target <> '') AS counts
          FROM unnest('{webhook,mail}'::text[]) AS c (channel)
          LEFT JOIN pgbackup.notification_targets t ON t.channel = c.channel AND t.target = '')
    SELECT t.channel, 'to ' || t.name, n.count, n.since, t.message
      FROM whole w JOIN pgbackup.notification_targets t ON t.channel = w.channel AND t.target <> '',
           LATERAL (SELECT count(*), min(q.created_at) AS since FROM pgbackup.notifications q
                     WHERE q.channel = t.channel AND t.target <> ALL (q.reached)) AS n
     WHERE NOT w.counts AND n.count > 0
    UNION ALL
    SELECT w.channel, 'by ' || w.channel, n.count, n.since, w.message
      FROM whole w, LATERAL (SELECT count(*), min(q.created_at) AS since FROM pgbackup.notifications q WHERE q.channel = w.channel) AS n
     WHERE w.counts AND n.count > 0
$$;
COMMENT ON FUNCTION pgbackup._undelivered() IS 'internal: how many notifications each target is still to receive, since when, and why the last attempt failed';

CREATE FUNCTION pgbackup._delivery_problems() RETURNS TABLE (channel text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.channel, CASE WHEN u.notifications = 1 THEN format('a notification %s has not been delivered since %s: %s', u.whereto, w.since, w.message)
                           ELSE format('%s notifications %s have not been delivered since %s: %s', u.notifications, u.whereto, w.since, w.message) END
      FROM pgbackup._undelivered() AS u,
           LATERAL (SELECT to_char(u.since, 'YYYY-MM-DD HH24:MI TZ'), coalesce(u.message, 'not attempted')) AS w (since, message)
     WHERE u.since < clock_timestamp() - interval '10 minutes'
    UNION ALL
    SELECT t.channel, CASE WHEN t.given_up_in_a_row = 1 THEN format('the last notification %s was given up: %s', w.whereto, t.message)
                           ELSE format('the last %s notifications %s were given up: %s', t.given_up_in_a_row, w.whereto, t.message) END
      FROM pgbackup.notification_targets t,
           LATERAL (SELECT CASE WHEN t.target = '' THEN 'by ' || t.channel ELSE 'to ' || t.name END) AS w (whereto)
     WHERE t.given_up_in_a_row > 0
$$;
COMMENT ON FUNCTION pgbackup._delivery_problems() IS
    'internal: notifications that have waited for ten minutes, and targets for which the last ones were given up';
