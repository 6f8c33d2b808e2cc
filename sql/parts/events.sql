--
-- Telling others
--

CREATE FUNCTION pgbackup._run_event(kind text, run jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'kind', kind, 'id', run->'id', 'status', run->'status', 'database', run->'database',
        'backup_id', run->'backup_id', 'target_database', run->'target_database', 'mode', run->'mode',
        'schedule', run->'schedule', 'label', run->'label', 'storage', pgbackup._storage_place(run->>'storage'),
        'file_size', run->'file_size', 'started_at', run->'started_at', 'finished_at', run->'finished_at',
        'message', left(run->>'message', 1000)))
$$;
COMMENT ON FUNCTION pgbackup._run_event(text, jsonb) IS 'internal: what others are told of a run, a row as JSON';

CREATE FUNCTION pgbackup._notify_limit() RETURNS double precision
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT 0.5::double precision $$;
COMMENT ON FUNCTION pgbackup._notify_limit() IS 'internal: part of the NOTIFY queue from which pgbackup adds nothing to it';

CREATE FUNCTION pgbackup._log_full_queue(kind text, id bigint, status text, usage double precision) RETURNS void
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgbackup_log_full_queue';
COMMENT ON FUNCTION pgbackup._log_full_queue(text, bigint, text, double precision) IS
    'internal: writes to the server''s log, once a minute, that there is no notification of a run';

CREATE FUNCTION pgbackup._notify() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Any role can fill the queue, and a full one fails the transaction at its commit: a notification may be
    -- lost, a change of a run's status may not.
    IF pg_notification_queue_usage() >= pgbackup._notify_limit() THEN
        PERFORM pgbackup._log_full_queue(TG_ARGV[0], NEW.id, NEW.status, pg_notification_queue_usage());
        RETURN NULL;
    END IF;
    -- Any role may listen: names and messages are in the row.
    PERFORM pg_notify('pgbackup', jsonb_build_object('kind', TG_ARGV[0], 'id', NEW.id, 'status', NEW.status)::text);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._notify() IS 'internal: notifies those who LISTEN to pgbackup of each change of a run''s status, unless the NOTIFY queue is half full';

CREATE TRIGGER notify_new AFTER INSERT ON pgbackup.backups
    FOR EACH ROW EXECUTE FUNCTION pgbackup._notify('backup');
CREATE TRIGGER notify_change AFTER UPDATE OF status ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pgbackup._notify('backup');
CREATE TRIGGER notify_new AFTER INSERT ON pgbackup.restores
    FOR EACH ROW EXECUTE FUNCTION pgbackup._notify('restore');
CREATE TRIGGER notify_change AFTER UPDATE OF status ON pgbackup.restores
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pgbackup._notify('restore');
CREATE TRIGGER notify_new AFTER INSERT ON pgbackup.copies
    FOR EACH ROW EXECUTE FUNCTION pgbackup._notify('copy');
CREATE TRIGGER notify_change AFTER UPDATE OF status ON pgbackup.copies
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pgbackup._notify('copy');
