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
    reached    text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX notifications_in_order ON pgbackup.notifications (channel, id);
COMMENT ON TABLE pgbackup.notifications IS 'notifications that some target has not received yet; pgbackup.notification_targets shows why';
COMMENT ON COLUMN pgbackup.notifications.id IS 'number; each target receives its notifications in this order';
COMMENT ON COLUMN pgbackup.notifications.channel IS 'how it is sent: webhook or mail';
COMMENT ON COLUMN pgbackup.notifications.kind IS 'kind of the run: backup, restore or copy';
COMMENT ON COLUMN pgbackup.notifications.run_id IS 'number of the run';
COMMENT ON COLUMN pgbackup.notifications.event IS 'what happened to the run';
COMMENT ON COLUMN pgbackup.notifications.created_at IS 'when it happened';
COMMENT ON COLUMN pgbackup.notifications.reached IS 'targets that have received it, or for which it was given up';

CREATE TABLE pgbackup.notification_targets (
    channel           text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    target            text NOT NULL,
    name              text NOT NULL,
    attempts          int NOT NULL DEFAULT 0,
    not_before        timestamptz NOT NULL DEFAULT 'epoch',
    failing_since     timestamptz,
    message           text,
    delivered_at      timestamptz,
    given_up          bigint NOT NULL DEFAULT 0,
    given_up_in_a_row bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, target)
);
COMMENT ON TABLE pgbackup.notification_targets IS 'where notifications are sent to, as the last agent found it; a row with an empty target stands for the channel as a whole';
COMMENT ON COLUMN pgbackup.notification_targets.channel IS 'how notifications are sent there: webhook or mail';
COMMENT ON COLUMN pgbackup.notification_targets.target IS 'mark that stands for a URL and does not disclose it, or an e-mail address; empty for the channel as a whole';
COMMENT ON COLUMN pgbackup.notification_targets.name IS 'what messages call it: of a URL, the host';
COMMENT ON COLUMN pgbackup.notification_targets.attempts IS 'how often sending has failed in a row';
COMMENT ON COLUMN pgbackup.notification_targets.not_before IS 'when the next attempt is made at the earliest';
COMMENT ON COLUMN pgbackup.notification_targets.failing_since IS 'since when all attempts have failed';
COMMENT ON COLUMN pgbackup.notification_targets.message IS 'why the last attempt failed, or a notification was given up';
COMMENT ON COLUMN pgbackup.notification_targets.delivered_at IS 'when a notification was last delivered';
COMMENT ON COLUMN pgbackup.notification_targets.given_up IS 'how many notifications have been given up';
COMMENT ON COLUMN pgbackup.notification_targets.given_up_in_a_row IS 'how many of them since the last one was delivered';
INSERT INTO pgbackup.notification_targets (channel, target, name) VALUES ('webhook', '', 'webhook'), ('mail', '', 'mail');

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

CREATE FUNCTION pgbackup._attempt_time(not_before timestamptz) RETURNS timestamptz
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN $1 > clock_timestamp() + interval '15 minutes' THEN 'epoch' ELSE $1 END
$$;
COMMENT ON FUNCTION pgbackup._attempt_time(timestamptz) IS
    'internal: when the next attempt is due; at once if that is later than any attempt ever waits, because the clock was set back';

CREATE FUNCTION pgbackup._notices_due(channel text) RETURNS timestamptz
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest('epoch', pgbackup._attempt_time(w.not_before),
                    (SELECT min(pgbackup._attempt_time(t.not_before)) FROM pgbackup.notification_targets t
                      WHERE t.channel = $1 AND t.target <> '' AND coalesce(w.attempts, 0) = 0
                        AND EXISTS (SELECT FROM pgbackup.notifications n WHERE n.channel = $1 AND t.target <> ALL (n.reached))))
      FROM (SELECT $1) AS c (channel)
      LEFT JOIN pgbackup.notification_targets w ON w.channel = c.channel AND w.target = ''
     WHERE EXISTS (SELECT FROM pgbackup.notifications n WHERE n.channel = $1)
$$;
COMMENT ON FUNCTION pgbackup._notices_due(text) IS 'internal: when an agent is to send notifications of a channel; null when none wait';

CREATE FUNCTION pgbackup._notices_to_send(channel text, at timestamptz, cluster text) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH whole AS (
        SELECT EXISTS (SELECT FROM pgbackup.notification_targets w WHERE w.channel = $1 AND w.target = '' AND w.attempts > 0) AS has_failed),
    wanted AS MATERIALIZED (
        SELECT t.target, n.id
          FROM pgbackup.notification_targets t, whole w,
               LATERAL (SELECT q.id FROM pgbackup.notifications q WHERE q.channel = $1 AND t.target <> ALL (q.reached)
                         -- One at a time until a target has recovered.
                         ORDER BY q.id LIMIT CASE WHEN t.attempts > 0 THEN 1 ELSE 20 END) AS n
         WHERE t.channel = $1 AND t.target <> '' AND (w.has_failed OR pgbackup._attempt_time(t.not_before) <= $2)),
    -- After a failure of the channel a single one, so that it is known whether that is the cause.
    chosen AS (
        SELECT c.id, jsonb_agg(c.target) AS targets FROM wanted c, whole w
         WHERE NOT w.has_failed OR c.id = (SELECT min(o.id) FROM wanted o) GROUP BY c.id)
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'targets', c.targets, 'event',
               n.event || jsonb_build_object('cluster', $3, 'environment', current_setting('pgbackup.environment'))
               -- Whether it is tried again is known a moment after it has failed.
               || CASE WHEN b.id IS NOT NULL AND b.message IS NOT NULL
                       THEN jsonb_build_object('message', left(b.message, 1000)) ELSE '{}' END) ORDER BY n.id), '[]')
      FROM chosen c
      JOIN pgbackup.notifications n ON n.id = c.id
      LEFT JOIN pgbackup.backups b ON n.kind = 'backup' AND b.id = n.run_id AND b.status = n.event->>'status'
$$;
COMMENT ON FUNCTION pgbackup._notices_to_send(text, timestamptz, text) IS
    'internal: the notifications of a channel that are due, as an agent gets them, each with the targets it is for; none while the targets are not known, which the agent then finds out';

CREATE FUNCTION pgbackup._give_up_notices(channel text, target text, ids bigint[], why text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    runs text[];
    whereto text;
BEGIN
    WITH gone AS (
        UPDATE pgbackup.notifications n SET reached = n.reached || $2
         WHERE n.channel = $1 AND n.id = ANY ($3) AND $2 <> ALL (n.reached)
        RETURNING n.id, n.kind, n.run_id)
    SELECT array_agg(format('%s %s', g.kind, g.run_id) ORDER BY g.id) INTO runs FROM gone g;
    IF runs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE pgbackup.notification_targets t
       SET given_up = t.given_up + cardinality(runs),
           given_up_in_a_row = t.given_up_in_a_row + CASE WHEN t.target = $2 THEN cardinality(runs) ELSE 0 END,
           message = CASE WHEN t.target = $2 THEN $4 ELSE t.message END
     WHERE t.channel = $1 AND t.target IN ($2, '');
    whereto := coalesce((SELECT 'to ' || t.name FROM pgbackup.notification_targets t
                          WHERE t.channel = $1 AND t.target = $2 AND t.target <> ''), 'by ' || $1);
    RETURN CASE WHEN cardinality(runs) = 1 THEN format('the notification of %s %s is given up: %s', runs[1], whereto, $4)
                ELSE format('%s notifications %s are given up, the first one of %s: %s', cardinality(runs), whereto, runs[1], $4) END;
END $$;
COMMENT ON FUNCTION pgbackup._give_up_notices(text, text, bigint[], text) IS
    'internal: marks notifications as not to be sent any more to a target, or with an empty one at all; returns what is to be logged, null for nothing';

CREATE FUNCTION pgbackup._note_attempt(channel text, target text, has_failed boolean, why text) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.notification_targets t
       SET attempts = CASE WHEN $3 THEN t.attempts + 1 ELSE 0 END,
           not_before = CASE WHEN $3 THEN clock_timestamp()
               + least(900, 2 * power(2, least(t.attempts, 10))) * (0.5 + random() / 2) * interval '1 second' ELSE 'epoch' END,
           failing_since = CASE WHEN $3 THEN coalesce(t.failing_since, clock_timestamp()) END,
           message = CASE WHEN $3 THEN $4 WHEN t.given_up_in_a_row > 0 THEN t.message END
      FROM (SELECT o.attempts FROM pgbackup.notification_targets o WHERE o.channel = $1 AND o.target = $2) AS before
     WHERE t.channel = $1 AND t.target = $2 AND ($3 OR t.attempts > 0)
    RETURNING CASE WHEN $3 THEN before.attempts = 0 ELSE true END
$$;
COMMENT ON FUNCTION pgbackup._note_attempt(text, text, boolean, text) IS
    'internal: notes how an attempt to send went; returns true when that is news';

CREATE FUNCTION pgbackup._settle_target(channel text, answer jsonb) RETURNS SETOF text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    target constant text := answer->>'target';
    told constant bigint[] := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(answer->'told') AS i);
    refused constant bigint[] := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(answer->'refused') AS i);
    last_told constant bigint := (SELECT max(i) FROM unnest(told) AS i);
BEGIN
    UPDATE pgbackup.notifications n SET reached = n.reached || ($2->>'target')
     WHERE n.channel = $1 AND n.id = ANY (told) AND target <> ALL (n.reached);
    RETURN QUERY SELECT pgbackup._give_up_notices($1, target, refused, $2->>'refusal');
    IF last_told IS NOT NULL THEN
        UPDATE pgbackup.notification_targets t
           SET delivered_at = clock_timestamp(), given_up_in_a_row = (SELECT count(*) FROM unnest(refused) AS i WHERE i > last_told),
               message = CASE WHEN last_told > ALL (refused) THEN NULL ELSE t.message END
         WHERE t.channel = $1 AND t.target = $2->>'target';
        UPDATE pgbackup.notification_targets t
           SET delivered_at = clock_timestamp(), given_up_in_a_row = 0, message = CASE WHEN t.attempts > 0 THEN t.message END
         WHERE t.channel = $1 AND t.target = '';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._settle_target(text, jsonb) IS
    'internal: notes what a target has received and refused; returns what is to be logged';

CREATE FUNCTION pgbackup._give_up_old_notices(channel text) RETURNS SETOF text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH known AS (
        SELECT t.target, t.attempts, t.message FROM pgbackup.notification_targets t WHERE t.channel = $1),
    failing AS (
        SELECT k.target, coalesce(w.message, k.message) AS message
          FROM known k LEFT JOIN (SELECT o.message FROM known o WHERE o.target = '' AND o.attempts > 0) AS w ON true
         WHERE k.attempts > 0 AND (k.target <> '' OR (SELECT count(*) FROM known) = 1) OR k.target <> '' AND w.message IS NOT NULL)
    SELECT pgbackup._give_up_notices($1, f.target, ARRAY(
               SELECT n.id FROM pgbackup.notifications n
                WHERE n.channel = $1 AND f.target <> ALL (n.reached) AND n.created_at < clock_timestamp() - interval '1 day'),
               'not delivered for a day: ' || f.message)
      FROM failing f
$$;
COMMENT ON FUNCTION pgbackup._give_up_old_notices(text) IS
    'internal: gives up what could not be sent for a day to a target that still fails; returns what is to be logged';

CREATE FUNCTION pgbackup._take_targets(channel text, answer jsonb) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pgbackup.notification_targets t
     WHERE t.channel = $1 AND t.target <> '' AND t.target NOT IN (SELECT a->>'target' FROM jsonb_array_elements($2) AS a);
    INSERT INTO pgbackup.notification_targets AS t (channel, target, name)
    SELECT $1, a->>'target', a->>'name' FROM jsonb_array_elements($2) AS a
    UNION ALL SELECT $1, '', $1
        ON CONFLICT (channel, target) DO UPDATE SET name = excluded.name WHERE t.name <> excluded.name
$$;
COMMENT ON FUNCTION pgbackup._take_targets(text, jsonb) IS 'internal: takes over the list of targets that an agent has found';

CREATE FUNCTION pgbackup._few_of(texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_to_string(texts[1:3], '; ') || CASE WHEN cardinality(texts) > 3 THEN format('; and %s more', cardinality(texts) - 3) ELSE '' END
$$;
COMMENT ON FUNCTION pgbackup._few_of(text[]) IS 'internal: a few of some messages, for one line of the log';

CREATE FUNCTION pgbackup._settle_notices(channel text, answer jsonb, why text) RETURNS TABLE (is_warning boolean, line text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    has_answer constant boolean := answer ? 'targets';
    failure constant text := CASE WHEN has_answer THEN answer->>'failure'
                                  ELSE coalesce(answer->>'message', $3, 'the agent ended unexpectedly') END;
    attempts constant int := coalesce((SELECT t.attempts FROM pgbackup.notification_targets t WHERE t.channel = $1 AND t.target = ''), 0);
    failures text[] := '{}';
    recovered text[] := '{}';
    hopeless bigint;
    one jsonb;
BEGIN
    IF jsonb_array_length(answer->'targets') > 0 THEN
        PERFORM pgbackup._take_targets($1, answer->'targets');
    END IF;
    FOR one IN SELECT a FROM jsonb_array_elements(answer->'targets') AS a LOOP
        RETURN QUERY SELECT true, l FROM pgbackup._settle_target($1, one) AS l WHERE l IS NOT NULL;
        IF jsonb_array_length((one->'told') || (one->'refused')) > 0 AND pgbackup._note_attempt($1, one->>'target', false, NULL) THEN
            recovered := recovered || (one->>'name');
        END IF;
        IF one->>'failure' IS NOT NULL AND pgbackup._note_attempt($1, one->>'target', true, one->>'failure') THEN
            failures := failures || (one->>'failure');
        END IF;
    END LOOP;
    -- One that cannot be written is no reason to keep those behind it.
    RETURN QUERY SELECT true, l FROM (
        SELECT pgbackup._give_up_notices($1, '', array_agg((d->>'id')::bigint), d->>'message')
          FROM jsonb_array_elements(answer->'dropped') AS d GROUP BY d->>'message') AS g (l) WHERE l IS NOT NULL;
    -- An agent that refuses the job of a single notification would refuse it every time. A mail server that refuses
    -- a message for good may mean this one, or all.
    hopeless := CASE WHEN attempts < 3 THEN NULL
                     WHEN has_answer THEN (answer->>'refused')::bigint
                     WHEN answer->>'event' = 'failed' THEN (SELECT min(n.id) FROM pgbackup.notifications n WHERE n.channel = $1) END;
    IF hopeless IS NOT NULL THEN
        RETURN QUERY SELECT true, l FROM pgbackup._give_up_notices($1, '', ARRAY[hopeless], failure) AS l WHERE l IS NOT NULL;
        PERFORM pgbackup._note_attempt($1, '', false, NULL);
    ELSIF failure IS NOT NULL THEN
        IF pgbackup._note_attempt($1, '', true, failure) THEN
            failures := failures || failure;
        END IF;
    ELSIF pgbackup._note_attempt($1, '', false, NULL) AND recovered = '{}' THEN
        recovered := recovered || $1;
    END IF;
    RETURN QUERY SELECT true, l FROM pgbackup._give_up_old_notices($1) AS l WHERE l IS NOT NULL;
    DELETE FROM pgbackup.notifications n
     WHERE n.channel = $1
       AND ('' = ANY (n.reached)
            OR EXISTS (SELECT FROM pgbackup.notification_targets t WHERE t.channel = $1 AND t.target <> '')
               AND n.reached @> ARRAY(SELECT t.target FROM pgbackup.notification_targets t WHERE t.channel = $1 AND t.target <> ''));
    IF failures <> '{}' THEN
        RETURN QUERY SELECT true, format('notifications cannot be sent by %s: %s', $1, pgbackup._few_of(failures));
    END IF;
    IF recovered <> '{}' THEN
        RETURN QUERY SELECT false, format('notifications are sent by %s again: %s', $1, pgbackup._few_of(recovered));
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._settle_notices(text, jsonb, text) IS
    'internal: takes over what an agent says about the notifications it has sent, or why there is no answer; returns what is to be logged';

CREATE FUNCTION pgbackup._forget_notices(channel text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pgbackup.notifications n WHERE n.channel = $1;
    DELETE FROM pgbackup.notification_targets t WHERE t.channel = $1 AND t.target <> '';
    UPDATE pgbackup.notification_targets t SET attempts = 0, not_before = 'epoch', failing_since = NULL, message = NULL, given_up_in_a_row = 0
     WHERE t.channel = $1 AND (t.attempts > 0 OR t.given_up_in_a_row > 0);
$$;
COMMENT ON FUNCTION pgbackup._forget_notices(text) IS 'internal: empties the queue of a channel that is not set up any more';
