--
-- Notifications that leave the server (src/pg/notices.cpp): queued here together with what they tell,
-- sent by agents
--

CREATE SEQUENCE pgbackup.notification_id;
COMMENT ON SEQUENCE pgbackup.notification_id IS 'numbers of notifications';

CREATE TABLE pgbackup.notifications (
    id         bigint PRIMARY KEY DEFAULT nextval('pgbackup.notification_id'),
    channel    text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    kind       text NOT NULL,
    run_id     bigint NOT NULL,
    event      jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts   int NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    reached    text[] NOT NULL DEFAULT '{}',
    message    text
);
CREATE INDEX notifications_in_order ON pgbackup.notifications (channel, id);
COMMENT ON TABLE pgbackup.notifications IS 'notifications that are still to be sent; a row stays until that has worked, for a day at most';
COMMENT ON COLUMN pgbackup.notifications.id IS 'number; notifications are sent in this order';
COMMENT ON COLUMN pgbackup.notifications.channel IS 'how it is sent: webhook or mail';
COMMENT ON COLUMN pgbackup.notifications.kind IS 'kind of the run: backup, restore or copy';
COMMENT ON COLUMN pgbackup.notifications.run_id IS 'number of the run';
COMMENT ON COLUMN pgbackup.notifications.event IS 'what happened to the run';
COMMENT ON COLUMN pgbackup.notifications.created_at IS 'when it happened';
COMMENT ON COLUMN pgbackup.notifications.attempts IS 'how often sending has failed';
COMMENT ON COLUMN pgbackup.notifications.not_before IS 'when it is sent next';
COMMENT ON COLUMN pgbackup.notifications.reached IS 'marks of the addresses that have it already, when there are several';
COMMENT ON COLUMN pgbackup.notifications.message IS 'why the last attempt failed';

CREATE FUNCTION pgbackup._notice_channels(kind text, status text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH wanted (is_wanted) AS (
        SELECT CASE current_setting('pgbackup.notify_on') WHEN 'all' THEN status IN ('failed', 'completed', 'cancelled')
                                                          WHEN 'failures' THEN status = 'failed' ELSE false END)
    SELECT 'webhook' FROM wanted
     WHERE current_setting('pgbackup.webhook_url_file') <> ''
       -- Such a service misses what does not come, so it has to hear of everything.
       AND CASE WHEN current_setting('pgbackup.webhook_format') = 'healthchecks'
                THEN kind = 'backup' AND current_setting('pgbackup.notify_on') <> 'none'
                ELSE is_wanted END
    UNION ALL
    SELECT 'mail' FROM wanted
     WHERE is_wanted AND current_setting('pgbackup.notify_email') <> '' AND current_setting('pgbackup.smtp_file') <> ''
$$;
COMMENT ON FUNCTION pgbackup._notice_channels(text, text) IS
    'internal: how others are told that a run has got this status';

CREATE FUNCTION pgbackup._queue_notice() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO pgbackup.notifications (channel, kind, run_id, event)
    SELECT c, TG_ARGV[0], NEW.id, pgbackup._run_event(TG_ARGV[0], to_jsonb(NEW)) || jsonb_strip_nulls(jsonb_build_object(
               'hint', left(NEW.hint, 1000), 'seconds', round(greatest(0, extract(epoch FROM NEW.finished_at - NEW.started_at)))))
      FROM pgbackup._notice_channels(TG_ARGV[0], NEW.status) AS c;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._queue_notice() IS 'internal: queues the notifications of a change of a run''s status';

CREATE TRIGGER queue_notice AFTER UPDATE OF status ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status <> 'expired')
    EXECUTE FUNCTION pgbackup._queue_notice('backup');
CREATE TRIGGER queue_notice AFTER UPDATE OF status ON pgbackup.restores
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pgbackup._queue_notice('restore');
CREATE TRIGGER queue_notice AFTER UPDATE OF status ON pgbackup.copies
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pgbackup._queue_notice('copy');

CREATE FUNCTION pgbackup._notices_to_send(channel text, at timestamptz, cluster text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object('id', d.id, 'reached', d.reached, 'event', d.event || d.now_known) ORDER BY d.id)
      FROM (SELECT n.id, n.reached, n.event,
                   jsonb_build_object('cluster', $3, 'environment', current_setting('pgbackup.environment'))
                   -- Whether it is tried again is known a moment after it has failed.
                   || CASE WHEN b.id IS NOT NULL AND b.message IS NOT NULL
                           THEN jsonb_build_object('message', left(b.message, 1000)) ELSE '{}' END AS now_known
              FROM pgbackup.notifications n
              LEFT JOIN pgbackup.backups b ON n.kind = 'backup' AND b.id = n.run_id AND b.status = n.event->>'status'
             WHERE n.channel = $1
               -- In their order: who waits keeps those behind waiting.
               AND NOT EXISTS (SELECT FROM pgbackup.notifications w WHERE w.channel = $1 AND w.id <= n.id AND w.not_before > $2)
             -- After a failure alone, so that it is known which one is the cause.
             ORDER BY n.id
             LIMIT CASE WHEN (SELECT f.attempts FROM pgbackup.notifications f WHERE f.channel = $1 ORDER BY f.id LIMIT 1) > 0
                        THEN 1 ELSE 20 END) AS d
$$;
COMMENT ON FUNCTION pgbackup._notices_to_send(text, timestamptz, text) IS
    'internal: the notifications of a channel that are due, as an agent gets them; null when there are none';

CREATE FUNCTION pgbackup._settle_notices(channel text, answer jsonb) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    failure text := CASE WHEN answer ? 'notices' THEN answer->>'failure'
                         ELSE coalesce(answer->>'message', 'the agent ended unexpectedly') END;
    dropped pgbackup.notifications;
BEGIN
    DELETE FROM pgbackup.notifications n USING jsonb_array_elements(answer->'notices') AS a
     WHERE n.id = (a->>'id')::bigint AND (a->>'done')::boolean;
    UPDATE pgbackup.notifications n SET reached = ARRAY(SELECT jsonb_array_elements_text(a->'reached'))
      FROM jsonb_array_elements(answer->'notices') AS a WHERE n.id = (a->>'id')::bigint;
    IF failure IS NULL THEN
        RETURN NULL;
    END IF;
    -- An agent that refuses the job of a single notification would refuse it every time.
    IF NOT answer ? 'notices' AND answer->>'event' = 'failed' THEN
        DELETE FROM pgbackup.notifications n
         WHERE n.attempts > 0 AND n.id = (SELECT min(w.id) FROM pgbackup.notifications w WHERE w.channel = $1)
        RETURNING n.* INTO dropped;
        IF FOUND THEN
            RAISE WARNING 'pgbackup: the notification of % % by % is dropped: %', dropped.kind, dropped.run_id, channel, failure;
            RETURN NULL;
        END IF;
    END IF;
    -- One that waits keeps the others waiting, so only the first one counts attempts.
    UPDATE pgbackup.notifications n
       SET attempts = n.attempts + 1, message = failure,
           not_before = clock_timestamp()
               + least(900, 2 * power(2, least(n.attempts, 10))) * (0.5 + random() / 2) * interval '1 second'
     WHERE n.id = (SELECT min(w.id) FROM pgbackup.notifications w WHERE w.channel = $1);
    DELETE FROM pgbackup.notifications n
     WHERE n.channel = $1 AND n.created_at < clock_timestamp() - interval '1 day';
    RETURN failure;
END $$;
COMMENT ON FUNCTION pgbackup._settle_notices(text, jsonb) IS
    'internal: takes the notifications off the queue that an agent has sent; returns what went wrong, null for nothing. What has waited for a day is given up';
