--
-- Telling others
--

CREATE FUNCTION pgbackup._run_event(kind text, run jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- A payload of NOTIFY has less than 8000 bytes: names and numbers, and the beginning of the message.
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'kind', kind, 'id', run->'id', 'status', run->'status', 'database', run->'database',
        'backup_id', run->'backup_id', 'target_database', run->'target_database', 'mode', run->'mode',
        'schedule', run->'schedule', 'label', run->'label', 'storage', split_part(run->>'storage', '?', 1),
        'file_size', run->'file_size', 'started_at', run->'started_at', 'finished_at', run->'finished_at',
        'message', left(run->>'message', 1000)))
$$;
COMMENT ON FUNCTION pgbackup._run_event(text, jsonb) IS 'internal: what others are told of a run, a row as JSON';

CREATE FUNCTION pgbackup._notify() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('pgbackup', pgbackup._run_event(TG_ARGV[0], to_jsonb(NEW))::text);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._notify() IS 'internal: tells those who LISTEN to pgbackup of each change of a run''s status';

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
