-- pgbackup 1.0: the catalog and the functions of the extension.
\echo Use "CREATE EXTENSION pgbackup" to load this file. \quit

COMMENT ON SCHEMA pgbackup IS 'pgbackup: backups of every database of the cluster, from inside the server';

--
-- What the server knows (src/pg/sql_support.cpp)
--

CREATE FUNCTION pgbackup._require_server() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_require_server';
COMMENT ON FUNCTION pgbackup._require_server() IS 'internal: raises an error unless the library is preloaded and this is the home database';

CREATE FUNCTION pgbackup._is_preloaded() RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_is_preloaded';
COMMENT ON FUNCTION pgbackup._is_preloaded() IS 'internal: whether the server preloads the library';

CREATE FUNCTION pgbackup._wake_launcher() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_wake_launcher';
COMMENT ON FUNCTION pgbackup._wake_launcher() IS 'internal: wakes the launcher when the transaction commits';

CREATE FUNCTION pgbackup.launcher_pid() RETURNS int
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_launcher_pid';
COMMENT ON FUNCTION pgbackup.launcher_pid() IS 'process id of the pgbackup launcher, null when it is not running';

CREATE FUNCTION pgbackup._caller_is_superuser() RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_caller_is_superuser';
COMMENT ON FUNCTION pgbackup._caller_is_superuser() IS 'internal: whether the role that called the function around this one is a superuser';

CREATE FUNCTION pgbackup._caller_may(routine text) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_caller_may';
COMMENT ON FUNCTION pgbackup._caller_may(text) IS 'internal: whether the role that called the function around this one may execute a routine, which is given as regprocedure takes it';

CREATE FUNCTION pgbackup._audit(what text) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgbackup_audit';
COMMENT ON FUNCTION pgbackup._audit(text) IS 'internal: writes to the server''s log which role wants to do what';

CREATE FUNCTION pgbackup._storage_error(url text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_storage_error';
COMMENT ON FUNCTION pgbackup._storage_error(text) IS 'internal: what is wrong with a storage URL, null when nothing';

CREATE FUNCTION pgbackup._is_same_storage(url text, other text) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_is_same_storage';
COMMENT ON FUNCTION pgbackup._is_same_storage(text, text) IS 'internal: whether two storage URLs lead to the same place';

CREATE FUNCTION pgbackup._is_compression(value text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_is_compression';
COMMENT ON FUNCTION pgbackup._is_compression(text) IS 'internal: whether a value is good for pgbackup.compression';

CREATE FUNCTION pgbackup._cluster_name() RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_cluster_name';
COMMENT ON FUNCTION pgbackup._cluster_name() IS 'internal: the name of this cluster in storage';

CREATE FUNCTION pgbackup._ask_presign(id bigint, seconds bigint) RETURNS jsonb
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgbackup_ask_presign';
COMMENT ON FUNCTION pgbackup._ask_presign(bigint, bigint) IS 'internal: asks an agent for the URLs of a backup''s objects';

CREATE FUNCTION pgbackup._guard_transition() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_guard_transition';
COMMENT ON FUNCTION pgbackup._guard_transition() IS 'internal: refuses changes of status that the life of a run does not have';

CREATE FUNCTION pgbackup._progress(
    OUT id bigint, OUT kind text, OUT database name, OUT phase text, OUT raw_bytes bigint,
    OUT stored_bytes bigint, OUT total_bytes bigint, OUT started_at timestamptz, OUT agent_pid int)
    RETURNS SETOF record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_progress';
COMMENT ON FUNCTION pgbackup._progress() IS 'internal: the shared memory behind pgbackup.progress';

--
-- The catalog
--

CREATE SEQUENCE pgbackup.run_id;
COMMENT ON SEQUENCE pgbackup.run_id IS 'numbers of runs: backups, restores and copies share them';

CREATE TABLE pgbackup.backups (
    id             bigint PRIMARY KEY DEFAULT nextval('pgbackup.run_id'),
    database       name NOT NULL,
    file_name      text,
    s3_url         text,
    s3_region      text,
    s3_bucket      text,
    storage        text NOT NULL,
    file_size      bigint,
    raw_size       bigint,
    database_size  bigint,
    backup_type    text NOT NULL DEFAULT 'manual' CHECK (backup_type IN ('manual', 'scheduled')),
    schedule       text,
    label          text,
    format         text NOT NULL,
    status         text NOT NULL DEFAULT 'pending'
                   CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled', 'expired')),
    message        text,
    detail         text,
    hint           text,
    sqlstate       text,
    checksum       text,
    created_by     name NOT NULL DEFAULT session_user,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at     timestamptz,
    finished_at    timestamptz,
    duration       interval GENERATED ALWAYS AS (finished_at - started_at) STORED,
    server_version text,
    pinned         boolean NOT NULL DEFAULT false,
    verified_at    timestamptz,
    verified_level text,
    slot           timestamptz,
    retry_of       bigint,
    attempt        int NOT NULL DEFAULT 1,
    not_before     timestamptz,
    retain_until   timestamptz,
    expired_at     timestamptz,
    system_identifier text,
    options        jsonb NOT NULL DEFAULT '{}',
    manifest       jsonb
);
CREATE INDEX backups_open ON pgbackup.backups (status, id) WHERE status IN ('pending', 'in_progress');
CREATE INDEX backups_database ON pgbackup.backups (database, id);
CREATE INDEX backups_slot ON pgbackup.backups (schedule, slot) WHERE slot IS NOT NULL;
CREATE TRIGGER guard_transition BEFORE UPDATE OF status ON pgbackup.backups
    FOR EACH ROW EXECUTE FUNCTION pgbackup._guard_transition();

COMMENT ON TABLE pgbackup.backups IS 'one row per backup run; written by the pgbackup launcher';
COMMENT ON COLUMN pgbackup.backups.id IS 'number of the run';
COMMENT ON COLUMN pgbackup.backups.database IS 'database that is backed up';
COMMENT ON COLUMN pgbackup.backups.file_name IS 'folder of the backup within the storage';
COMMENT ON COLUMN pgbackup.backups.s3_url IS 's3:// address of the backup''s folder';
COMMENT ON COLUMN pgbackup.backups.s3_region IS 'region of the bucket, where one is set';
COMMENT ON COLUMN pgbackup.backups.s3_bucket IS 'bucket';
COMMENT ON COLUMN pgbackup.backups.storage IS 'storage the backup was written to';
COMMENT ON COLUMN pgbackup.backups.file_size IS 'bytes stored';
COMMENT ON COLUMN pgbackup.backups.raw_size IS 'bytes of the dump before compression';
COMMENT ON COLUMN pgbackup.backups.database_size IS 'pg_database_size at the time of the backup, bytes';
COMMENT ON COLUMN pgbackup.backups.backup_type IS 'manual or scheduled';
COMMENT ON COLUMN pgbackup.backups.schedule IS 'name of the schedule that started it';
COMMENT ON COLUMN pgbackup.backups.label IS 'free text given by whoever started it';
COMMENT ON COLUMN pgbackup.backups.format IS 'layout: parallel, custom or plain; auto until it is decided';
COMMENT ON COLUMN pgbackup.backups.status IS 'pending, in_progress, completed, failed, cancelled or expired';
COMMENT ON COLUMN pgbackup.backups.message IS 'what went wrong, in one sentence; or a remark on a completed backup';
COMMENT ON COLUMN pgbackup.backups.detail IS 'more about message, such as the last lines of pg_dump';
COMMENT ON COLUMN pgbackup.backups.hint IS 'what to do about it';
COMMENT ON COLUMN pgbackup.backups.sqlstate IS 'class of the failure, as a SQLSTATE';
COMMENT ON COLUMN pgbackup.backups.checksum IS 'SHA-256 of the manifest, which holds the SHA-256 of every object';
COMMENT ON COLUMN pgbackup.backups.created_by IS 'role that asked for it';
COMMENT ON COLUMN pgbackup.backups.created_at IS 'when it was asked for';
COMMENT ON COLUMN pgbackup.backups.started_at IS 'when the agent was started';
COMMENT ON COLUMN pgbackup.backups.finished_at IS 'when it ended';
COMMENT ON COLUMN pgbackup.backups.duration IS 'finished_at - started_at';
COMMENT ON COLUMN pgbackup.backups.server_version IS 'version of the server that was dumped';
COMMENT ON COLUMN pgbackup.backups.pinned IS 'kept whatever retention says';
COMMENT ON COLUMN pgbackup.backups.verified_at IS 'when pgbackup.verify() last proved it good';
COMMENT ON COLUMN pgbackup.backups.verified_level IS 'how it was proved then: checksum, archive or restore';
COMMENT ON COLUMN pgbackup.backups.slot IS 'time of the schedule that this run is for';
COMMENT ON COLUMN pgbackup.backups.retry_of IS 'the failed run that this one tries again';
COMMENT ON COLUMN pgbackup.backups.attempt IS 'how often it has been tried, this run included';
COMMENT ON COLUMN pgbackup.backups.not_before IS 'when a pending run starts at the earliest; null for at once';
COMMENT ON COLUMN pgbackup.backups.retain_until IS 'until when a lock in the storage forbids to remove it';
COMMENT ON COLUMN pgbackup.backups.expired_at IS 'when retention gave it up';
COMMENT ON COLUMN pgbackup.backups.system_identifier IS 'cluster that made it; retention leaves those of others alone';
COMMENT ON COLUMN pgbackup.backups.options IS 'options of the run';
COMMENT ON COLUMN pgbackup.backups.manifest IS 'copy of the manifest in storage, without the fingerprints of rows';

CREATE TABLE pgbackup.restores (
    id              bigint PRIMARY KEY DEFAULT nextval('pgbackup.run_id'),
    backup_id       bigint NOT NULL,
    mode            text NOT NULL DEFAULT 'restore' CHECK (mode IN ('restore', 'undo', 'dry_run', 'verify')),
    database        name NOT NULL,
    target_database name NOT NULL,
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    message         text,
    detail          text,
    hint            text,
    sqlstate        text,
    created_by      name NOT NULL DEFAULT session_user,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at      timestamptz,
    finished_at     timestamptz,
    duration        interval GENERATED ALWAYS AS (finished_at - started_at) STORED,
    kept_database   name,
    kept_oid        oid,
    safety_backup_id bigint,
    options         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX restores_open ON pgbackup.restores (status, id) WHERE status IN ('pending', 'in_progress');
CREATE TRIGGER guard_transition BEFORE UPDATE OF status ON pgbackup.restores
    FOR EACH ROW EXECUTE FUNCTION pgbackup._guard_transition();

COMMENT ON TABLE pgbackup.restores IS 'one row per restore, undo of one and verification; written by the pgbackup launcher, and by the agent that swaps databases, in the transaction that renames them';
COMMENT ON COLUMN pgbackup.restores.id IS 'number of the run';
COMMENT ON COLUMN pgbackup.restores.backup_id IS 'backup it comes from';
COMMENT ON COLUMN pgbackup.restores.mode IS 'restore, undo of one, dry_run or verify';
COMMENT ON COLUMN pgbackup.restores.database IS 'database the backup was taken from';
COMMENT ON COLUMN pgbackup.restores.target_database IS 'database that is made; a verification names the one the backup was taken from';
COMMENT ON COLUMN pgbackup.restores.status IS 'pending, in_progress, completed, failed or cancelled';
COMMENT ON COLUMN pgbackup.restores.message IS 'what went wrong, what there is to remark or, of a dry run, what would be done, in one sentence';
COMMENT ON COLUMN pgbackup.restores.detail IS 'more about message, such as the last lines of pg_restore, or what a dry run has found';
COMMENT ON COLUMN pgbackup.restores.hint IS 'what to do about it';
COMMENT ON COLUMN pgbackup.restores.sqlstate IS 'class of the failure, as a SQLSTATE';
COMMENT ON COLUMN pgbackup.restores.created_by IS 'role that asked for it';
COMMENT ON COLUMN pgbackup.restores.created_at IS 'when it was asked for';
COMMENT ON COLUMN pgbackup.restores.started_at IS 'when the agent was started';
COMMENT ON COLUMN pgbackup.restores.finished_at IS 'when it ended';
COMMENT ON COLUMN pgbackup.restores.duration IS 'finished_at - started_at';
COMMENT ON COLUMN pgbackup.restores.kept_database IS 'the database that was replaced is kept under this name; null when nothing is';
COMMENT ON COLUMN pgbackup.restores.kept_oid IS 'OID of that database';
COMMENT ON COLUMN pgbackup.restores.safety_backup_id IS 'backup of the target that a replacing restore waits for; null when there was a recent one';
COMMENT ON COLUMN pgbackup.restores.options IS 'options of the run';

CREATE TABLE pgbackup.copies (
    id              bigint PRIMARY KEY DEFAULT nextval('pgbackup.run_id'),
    backup_id       bigint NOT NULL REFERENCES pgbackup.backups (id) ON DELETE CASCADE,
    storage         text NOT NULL,
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'in_progress', 'completed', 'failed')),
    message         text,
    detail          text,
    hint            text,
    sqlstate        text,
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    started_at      timestamptz,
    finished_at     timestamptz,
    file_size       bigint,
    UNIQUE (backup_id, storage)
);
CREATE INDEX copies_due ON pgbackup.copies (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER guard_transition BEFORE UPDATE OF status ON pgbackup.copies
    FOR EACH ROW EXECUTE FUNCTION pgbackup._guard_transition('copy');

COMMENT ON TABLE pgbackup.copies IS 'one row per backup and further storage that it goes to; written by the pgbackup launcher';
COMMENT ON COLUMN pgbackup.copies.id IS 'number of the copy, from the same sequence as those of runs';
COMMENT ON COLUMN pgbackup.copies.backup_id IS 'the backup';
COMMENT ON COLUMN pgbackup.copies.storage IS 'storage the copy is in, under the backup''s file_name';
COMMENT ON COLUMN pgbackup.copies.status IS 'pending, in_progress, completed or failed';
COMMENT ON COLUMN pgbackup.copies.message IS 'what went wrong, in one sentence';
COMMENT ON COLUMN pgbackup.copies.detail IS 'more about message';
COMMENT ON COLUMN pgbackup.copies.hint IS 'what to do about it';
COMMENT ON COLUMN pgbackup.copies.sqlstate IS 'class of the failure, as a SQLSTATE';
COMMENT ON COLUMN pgbackup.copies.attempts IS 'how often it has been begun; the first time is the backup itself';
COMMENT ON COLUMN pgbackup.copies.next_attempt_at IS 'when it is copied from the backup''s own storage; null when it is not';
COMMENT ON COLUMN pgbackup.copies.started_at IS 'when the last attempt began';
COMMENT ON COLUMN pgbackup.copies.finished_at IS 'when the last attempt ended';
COMMENT ON COLUMN pgbackup.copies.file_size IS 'bytes stored';

CREATE TABLE pgbackup.cancellations (
    run_id       bigint NOT NULL,
    requested_by name NOT NULL DEFAULT session_user,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE pgbackup.cancellations IS 'runs that somebody asked to cancel; the launcher takes them from here';
COMMENT ON COLUMN pgbackup.cancellations.run_id IS 'number of the run';
COMMENT ON COLUMN pgbackup.cancellations.requested_by IS 'role that asked';
COMMENT ON COLUMN pgbackup.cancellations.requested_at IS 'when it asked';

CREATE TABLE pgbackup.removals (
    run_id     bigint PRIMARY KEY,
    backup_id  bigint,
    storage    text,
    file_name  text,
    target_database name,
    kept_oid   oid,
    reason     text NOT NULL CHECK (reason IN ('deleted', 'expired', 'interrupted', 'unfinished', 'replaced')),
    attempts   int NOT NULL DEFAULT 0,
    message    text,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((file_name IS NULL) <> (target_database IS NULL)),
    CHECK ((kept_oid IS NULL) <> (reason = 'replaced'))
);
COMMENT ON TABLE pgbackup.removals IS 'what the launcher is to clean up: a folder in storage, the side database of a killed restore, or a database that a restore has replaced; a row stays until that has worked';
COMMENT ON COLUMN pgbackup.removals.run_id IS 'number of the run that left it';
COMMENT ON COLUMN pgbackup.removals.backup_id IS 'for what a copy left: the backup it is a copy of';
COMMENT ON COLUMN pgbackup.removals.storage IS 'storage';
COMMENT ON COLUMN pgbackup.removals.file_name IS 'folder within the storage';
COMMENT ON COLUMN pgbackup.removals.target_database IS 'target of the restore whose side database is to be dropped; when replaced, the database itself';
COMMENT ON COLUMN pgbackup.removals.kept_oid IS 'when replaced: OID of the database';
COMMENT ON COLUMN pgbackup.removals.reason IS 'deleted (by pgbackup.delete), expired (by retention), interrupted, unfinished or replaced (and kept for long enough)';
COMMENT ON COLUMN pgbackup.removals.attempts IS 'how often it has failed';
COMMENT ON COLUMN pgbackup.removals.message IS 'why the last attempt failed';
COMMENT ON COLUMN pgbackup.removals.not_before IS 'when it is tried next';

CREATE VIEW pgbackup.progress AS
    SELECT p.id, p.kind, p.database, p.phase, p.raw_bytes, p.stored_bytes, p.total_bytes,
           least(round(100.0 * p.raw_bytes / nullif(p.total_bytes, 0), 1), 100.0) AS percent,
           p.started_at, p.agent_pid
      FROM pgbackup._progress() AS p
     ORDER BY p.id;
COMMENT ON VIEW pgbackup.progress IS 'one row per running backup, restore and copy; sizes in bytes, total_bytes is an estimate';

--
-- Internal helpers
--

CREATE FUNCTION pgbackup._require_superuser(what text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pgbackup._caller_is_superuser() THEN
        RAISE EXCEPTION 'permission denied to %', what
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Whoever can do this can read or write as the server''s operating system user.',
                  HINT = 'Ask a superuser to do it.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._require_superuser(text) IS 'internal: raises an error unless the caller is a superuser';

CREATE FUNCTION pgbackup._require_any_storage() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pgbackup._caller_may('pgbackup.copy(bigint, text)') THEN
        RAISE EXCEPTION 'permission denied to choose a storage'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Whoever chooses the storage can send data to any place.',
                  HINT = 'Leave storage out, or ask for the level admin: SELECT pgbackup.grant_access(role, ''admin'').';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._require_any_storage() IS 'internal: raises an error unless the caller may choose a storage: whoever may copy to one';

CREATE FUNCTION pgbackup._require_run_id(id bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'backup id must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'SELECT id, database, created_at FROM pgbackup.list() shows the ids.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._require_run_id(bigint) IS 'internal: raises an error for a null id';

CREATE FUNCTION pgbackup._raise_unknown_backup(id bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'there is no backup %', id
        USING ERRCODE = 'undefined_object',
              HINT = 'SELECT id, database, created_at FROM pgbackup.list() shows those that are known.';
END $$;
COMMENT ON FUNCTION pgbackup._raise_unknown_backup(bigint) IS 'internal: raises the error for an unknown id';

CREATE FUNCTION pgbackup._seconds_of(setting text) RETURNS interval
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT make_interval(secs => nullif(s.setting::bigint, 0)) FROM pg_settings s WHERE s.name = 'pgbackup.' || $1
$$;
COMMENT ON FUNCTION pgbackup._seconds_of(text) IS 'internal: a setting in seconds as an interval, null for 0';

CREATE FUNCTION pgbackup._roughly(length interval) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN s < 120 THEN format('%s s', s) WHEN s < 7200 THEN format('%s min', s / 60)
                WHEN s < 172800 THEN format('%s h', s / 3600) ELSE format('%s days', s / 86400) END
      FROM (SELECT extract(epoch FROM $1)::bigint) AS e (s)
$$;
COMMENT ON FUNCTION pgbackup._roughly(interval) IS 'internal: 26 h, 3 days';

CREATE FUNCTION pgbackup._check_names(what text, names text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF names IS NULL THEN
        RETURN;
    END IF;
    IF cardinality(names) = 0 OR array_ndims(names) <> 1
       OR EXISTS (SELECT FROM unnest(names) AS n WHERE n IS NULL OR n = '') THEN
        RAISE EXCEPTION 'argument "%" must be a list of names', what
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The list is empty, or has an element that is null or empty.',
                  HINT = format('Leave %I out to select everything.', what);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_names(text, text[]) IS 'internal: raises an error for an empty list or element';

CREATE FUNCTION pgbackup._check_choice(what text, value text, choices text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL OR NOT value = ANY (choices) THEN
        RAISE EXCEPTION 'invalid %: %', what, coalesce(quote_literal(value), 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Use one of: %s.', array_to_string(choices, ', '));
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_choice(text, text, text[]) IS 'internal: raises an error for a value that is not one of the choices';

CREATE FUNCTION pgbackup._check_jobs(jobs int) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF jobs NOT BETWEEN 1 AND 64 THEN
        RAISE EXCEPTION 'invalid number of jobs: %', jobs
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use 1 to 64.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_jobs(int) IS 'internal: raises an error for a number of lanes out of range';

CREATE FUNCTION pgbackup._check_label(label text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF length(label) > 200 OR label ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION 'invalid label'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A label has at most 200 characters and no control characters.',
                  HINT = 'Use a few words.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_label(text) IS 'internal: raises an error for a label that is too long or odd';

CREATE FUNCTION pgbackup._check_compression(compression text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pgbackup._is_compression(compression) THEN
        RAISE EXCEPTION 'invalid compression: %', quote_literal(compression)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use zstd:1 (fastest) to zstd:19 (smallest), perhaps with ",long" behind, gzip:1 to gzip:9, lz4:1 to lz4:12, or none.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_compression(text) IS 'internal: raises an error for a value that is not good for pgbackup.compression';

CREATE FUNCTION pgbackup._check_storage(storage text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pgbackup._storage_error(storage) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid storage'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = pgbackup._storage_error(storage),
                  HINT = 'Use file:///absolute/path or s3://bucket/prefix.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_storage(text) IS 'internal: raises an error for what is no URL of a storage; not for null';

CREATE FUNCTION pgbackup._default_options() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'content', 'all',
        'format', current_setting('pgbackup.format'),
        'jobs', current_setting('pgbackup.jobs')::int,
        'compression', current_setting('pgbackup.compression'))
$$;
COMMENT ON FUNCTION pgbackup._default_options() IS 'internal: the options of a run as the settings give them';

CREATE FUNCTION pgbackup._run_state(id bigint)
    RETURNS TABLE (creator xid, kind text, database name, status text, message text, detail text,
                   hint text, sqlstate text, result text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT b.xmin, 'backup', b.database, b.status, b.message, b.detail, b.hint, b.sqlstate,
           format('backup %s of database %I completed in %s s: %s read, %s stored in %s/%s%s',
                  b.id, b.database, round(extract(epoch FROM b.duration), 1),
                  pg_size_pretty(b.raw_size), pg_size_pretty(b.file_size),
                  rtrim(split_part(b.storage, '?', 1), '/'), b.file_name,
                  (SELECT '; copies: ' || string_agg(n.copies || ' ' || n.status, ', ' ORDER BY n.status)
                     FROM (SELECT replace(c.status, 'in_progress', 'under way'), count(*)
                             FROM pgbackup.copies c WHERE c.backup_id = b.id GROUP BY 1) AS n (status, copies)))
      FROM pgbackup.backups b WHERE b.id = $1
    UNION ALL
    SELECT r.xmin, CASE r.mode WHEN 'verify' THEN 'verification' ELSE 'restore' END,
           r.target_database, r.status, r.message, r.detail, r.hint, r.sqlstate,
           format(CASE r.mode WHEN 'verify' THEN 'verification %2$s of backup %3$s of database %4$I completed in %5$s s%6$s%7$s'
                              ELSE '%1$s %2$s of backup %3$s into database %4$I completed in %5$s s%6$s%7$s' END,
                  replace(r.mode, '_', ' '), r.id, r.backup_id, r.target_database,
                  round(extract(epoch FROM r.duration), 1), ': ' || r.message, E'\n' || r.detail)
      FROM pgbackup.restores r WHERE r.id = $1
    UNION ALL
    SELECT c.xmin, 'copy', b.database, c.status, c.message, c.detail, c.hint, c.sqlstate,
           format('copy %s of backup %s completed', c.id, c.backup_id)
      FROM pgbackup.copies c JOIN pgbackup.backups b ON b.id = c.backup_id WHERE c.id = $1
$$;
COMMENT ON FUNCTION pgbackup._run_state(bigint) IS 'internal: what waiting for a run needs to know';

CREATE FUNCTION pgbackup._wanted_copies(storage text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT btrim(w.url, ' ')
      FROM unnest(string_to_array(current_setting('pgbackup.storage_copies'), ',')) WITH ORDINALITY AS w (url, n)
     WHERE NOT pgbackup._is_same_storage(btrim(w.url, ' '), $1)
     ORDER BY w.n
$$;
COMMENT ON FUNCTION pgbackup._wanted_copies(text) IS 'internal: pgbackup.storage_copies without the storage that the backup goes to anyway';

--
-- Backups
--

CREATE FUNCTION pgbackup.create(
    database name DEFAULT current_database(),
    label text DEFAULT NULL,
    schemas text[] DEFAULT NULL,
    tables text[] DEFAULT NULL,
    exclude_tables text[] DEFAULT NULL,
    exclude_table_data text[] DEFAULT NULL,
    content text DEFAULT 'all',
    format text DEFAULT NULL,
    jobs int DEFAULT NULL,
    compression text DEFAULT NULL,
    storage text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    destination text := coalesce(storage, current_setting('pgbackup.storage', true));
    layout text := coalesce(format, current_setting('pgbackup.format', true));
    run_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('back up database "%s"', database));
    IF database IS NULL THEN
        RAISE EXCEPTION 'database must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Leave it out to back up the current database.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = database) THEN
        RAISE EXCEPTION 'database "%" does not exist', database
            USING ERRCODE = 'invalid_catalog_name',
                  HINT = 'SELECT datname FROM pg_database shows those that do.';
    END IF;
    IF NOT (SELECT d.datallowconn FROM pg_database d WHERE d.datname = database) THEN
        RAISE EXCEPTION 'database "%" accepts no connections', database
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'A dump needs a connection: ALTER DATABASE name ALLOW_CONNECTIONS true permits one.';
    END IF;
    PERFORM pgbackup._check_names('schemas', schemas);
    PERFORM pgbackup._check_names('tables', tables);
    PERFORM pgbackup._check_names('exclude_tables', exclude_tables);
    PERFORM pgbackup._check_names('exclude_table_data', exclude_table_data);
    IF schemas IS NOT NULL AND tables IS NOT NULL THEN
        RAISE EXCEPTION 'schemas and tables cannot be combined'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Tables are named with their schema, so a list of schemas would be ignored.',
                  HINT = 'Use schemas together with exclude_tables, or tables alone.';
    END IF;
    PERFORM pgbackup._check_choice('content', content, '{all,schema,data}');
    PERFORM pgbackup._check_choice('format', layout, '{auto,parallel,custom,plain}');
    PERFORM pgbackup._check_jobs(jobs);
    PERFORM pgbackup._check_compression(compression);
    PERFORM pgbackup._check_label(label);
    IF storage IS NOT NULL THEN
        PERFORM pgbackup._require_any_storage();
    END IF;
    IF coalesce(destination, '') = '' THEN
        RAISE EXCEPTION 'no storage is set'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'A backup needs a place to go to.',
                  HINT = 'ALTER SYSTEM SET pgbackup.storage = ''s3://bucket/prefix'' or ''file:///path''; then SELECT pg_reload_conf().';
    END IF;
    PERFORM pgbackup._check_storage(destination);
    INSERT INTO pgbackup.backups (database, label, storage, format, options)
    VALUES (database, label, destination, layout,
            pgbackup._default_options() || jsonb_strip_nulls(jsonb_build_object(
                'schemas', schemas, 'tables', tables, 'exclude_tables', exclude_tables,
                'exclude_table_data', exclude_table_data, 'content', content, 'format', layout,
                'jobs', jobs, 'compression', compression)))
    RETURNING id INTO run_id;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.create(name, text, text[], text[], text[], text[], text, text, int, text, text) IS
    'asks for a backup, which starts when the transaction commits; returns its id. tables are schema.table, quoted as in SQL; content is all, schema or data; format is auto, parallel, custom or plain; compression is zstd:1 to zstd:19, perhaps with ",long" behind, gzip:1 to gzip:9, lz4:1 to lz4:12, or none';

CREATE PROCEDURE pgbackup.run(
    database name DEFAULT current_database(),
    label text DEFAULT NULL,
    schemas text[] DEFAULT NULL,
    tables text[] DEFAULT NULL,
    exclude_tables text[] DEFAULT NULL,
    exclude_table_data text[] DEFAULT NULL,
    content text DEFAULT 'all',
    format text DEFAULT NULL,
    jobs int DEFAULT NULL,
    compression text DEFAULT NULL,
    storage text DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_run';
COMMENT ON PROCEDURE pgbackup.run(name, text, text[], text[], text[], text[], text, text, int, text, text) IS
    'makes a backup and waits for it, showing progress; raises an error when it does not complete. The arguments are those of pgbackup.create()';

CREATE FUNCTION pgbackup.wait(id bigint, timeout interval DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_wait';
COMMENT ON FUNCTION pgbackup.wait(bigint, interval) IS
    'waits until a backup, restore or copy has ended, at most for timeout, and returns its status; holds the statement''s snapshot while it waits';

CREATE FUNCTION pgbackup.cancel(id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    state text;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('cancel run %s', $1));
    PERFORM pgbackup._require_run_id($1);
    SELECT status INTO state FROM pgbackup._run_state($1);
    IF state IS NULL THEN
        RAISE EXCEPTION 'there is no run %', $1
            USING ERRCODE = 'undefined_object',
                  HINT = 'SELECT id, kind, database FROM pgbackup.progress shows those that run.';
    END IF;
    IF state NOT IN ('pending', 'in_progress') THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM pgbackup.copies c JOIN pgbackup.backups b ON b.id = c.backup_id
                WHERE c.id = $1 AND b.status = 'in_progress') THEN
        RAISE EXCEPTION 'copy % is being made together with its backup', $1
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT pgbackup.cancel(%s) ends both.',
                                (SELECT c.backup_id FROM pgbackup.copies c WHERE c.id = $1));
    END IF;
    INSERT INTO pgbackup.cancellations (run_id) VALUES ($1);
    PERFORM pgbackup._wake_launcher();
    RETURN true;
END $$;
COMMENT ON FUNCTION pgbackup.cancel(bigint) IS
    'asks for the end of a backup, restore or copy, which happens after the commit; false when it has ended already';

CREATE FUNCTION pgbackup.list(database name DEFAULT NULL, status text DEFAULT NULL, max_rows int DEFAULT 100)
    RETURNS SETOF pgbackup.backups
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $2 IS NOT NULL THEN
        PERFORM pgbackup._check_choice('status', $2, '{pending,in_progress,completed,failed,cancelled,expired}');
    END IF;
    IF $3 < 0 THEN
        RAISE EXCEPTION 'max_rows must not be negative'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use null for no limit.';
    END IF;
    RETURN QUERY SELECT b.* FROM pgbackup.backups b
                  WHERE ($1 IS NULL OR b.database = $1) AND ($2 IS NULL OR b.status = $2)
                  ORDER BY b.id DESC LIMIT $3;
END $$;
COMMENT ON FUNCTION pgbackup.list(name, text, int) IS 'backups, newest first, optionally of one database or status';

CREATE FUNCTION pgbackup.get(id bigint) RETURNS pgbackup.backups
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_row pgbackup.backups;
BEGIN
    PERFORM pgbackup._require_run_id($1);
    SELECT b.* INTO found_row FROM pgbackup.backups b WHERE b.id = $1;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup($1);
    END IF;
    RETURN found_row;
END $$;
COMMENT ON FUNCTION pgbackup.get(bigint) IS 'one backup; an unknown id is an error';

CREATE FUNCTION pgbackup.latest(database name DEFAULT current_database()) RETURNS pgbackup.backups
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT b FROM pgbackup.backups b WHERE b.database = $1 AND b.status = 'completed'
     ORDER BY b.id DESC LIMIT 1
$$;
COMMENT ON FUNCTION pgbackup.latest(name) IS 'the newest completed backup of a database, null when there is none';

CREATE FUNCTION pgbackup.pin(id bigint, pinned boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM pgbackup._audit(format('pin backup %s: %s', $1, $2));
    PERFORM pgbackup._require_run_id($1);
    IF $2 IS NULL THEN
        RAISE EXCEPTION 'pinned must not be null'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Use true or false.';
    END IF;
    UPDATE pgbackup.backups b SET pinned = $2 WHERE b.id = $1;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup($1);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup.pin(bigint, boolean) IS 'protects a backup from being deleted, or ends that';

CREATE FUNCTION pgbackup.delete(id bigint, delete_objects boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    doomed pgbackup.backups;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('delete backup %s%s', $1, CASE WHEN $2 THEN ' and its objects' END));
    PERFORM pgbackup._require_run_id($1);
    SELECT b.* INTO doomed FROM pgbackup.backups b WHERE b.id = $1 FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup($1);
    END IF;
    IF doomed.status IN ('pending', 'in_progress') THEN
        RAISE EXCEPTION 'backup % is %', $1, doomed.status
            USING ERRCODE = 'object_in_use',
                  HINT = format('SELECT pgbackup.cancel(%s) ends it; then delete it.', $1);
    END IF;
    IF doomed.pinned THEN
        RAISE EXCEPTION 'backup % is pinned', $1
            USING ERRCODE = 'object_in_use',
                  HINT = format('SELECT pgbackup.pin(%s, false) ends the protection.', $1);
    END IF;
    IF EXISTS (SELECT FROM pgbackup.restores r
                WHERE r.backup_id = $1 AND r.status IN ('pending', 'in_progress')) THEN
        RAISE EXCEPTION 'backup % is being restored or verified', $1
            USING ERRCODE = 'object_in_use', HINT = 'Wait for the run, or cancel it.';
    END IF;
    IF EXISTS (SELECT FROM pgbackup.copies c WHERE c.backup_id = $1 AND c.status = 'in_progress') THEN
        RAISE EXCEPTION 'backup % is being copied', $1
            USING ERRCODE = 'object_in_use',
                  HINT = format('Wait for the copy, or cancel it: SELECT pgbackup.cancel(id) FROM pgbackup.copies WHERE backup_id = %s AND status = ''in_progress''.', $1);
    END IF;
    IF coalesce($2, false) AND doomed.file_name IS NOT NULL AND doomed.status = 'completed' THEN
        INSERT INTO pgbackup.removals (run_id, storage, file_name, reason)
        VALUES (doomed.id, doomed.storage, doomed.file_name, 'deleted')
        ON CONFLICT (run_id) DO NOTHING;
    END IF;
    -- What an attempt at a copy has left is no use to anybody, also when complete ones are kept.
    INSERT INTO pgbackup.removals (run_id, backup_id, storage, file_name, reason)
    SELECT c.id, c.backup_id, c.storage, doomed.file_name,
           CASE c.status WHEN 'completed' THEN 'deleted' ELSE 'unfinished' END
      FROM pgbackup.copies c
     WHERE c.backup_id = $1 AND doomed.status = 'completed'
       AND (coalesce($2, false) AND c.status = 'completed' OR c.status = 'failed' AND c.started_at IS NOT NULL)
    ON CONFLICT (run_id) DO NOTHING;
    PERFORM pgbackup._wake_launcher();
    DELETE FROM pgbackup.backups b WHERE b.id = $1;
END $$;
COMMENT ON FUNCTION pgbackup.delete(bigint, boolean) IS
    'forgets a backup; with delete_objects also removes it and its copies from storage, after the commit (pgbackup.removals shows what is left to do). A pinned one is refused';

CREATE FUNCTION pgbackup.copy(backup_id bigint, storage text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    source pgbackup.backups;
    known pgbackup.copies;
    copy_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('copy backup %s to %s', $1, split_part($2, '?', 1)));
    PERFORM pgbackup._require_run_id($1);
    SELECT b.* INTO source FROM pgbackup.backups b WHERE b.id = $1 FOR SHARE;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup($1);
    END IF;
    IF source.status <> 'completed' THEN
        RAISE EXCEPTION 'backup % is %, so there is nothing to copy', $1, source.status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Only a completed backup can be copied.';
    END IF;
    IF $2 IS NULL OR pgbackup._storage_error($2) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid storage'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = coalesce(pgbackup._storage_error($2), 'It is null.'),
                  HINT = 'Use file:///absolute/path or s3://bucket/prefix.';
    END IF;
    IF pgbackup._is_same_storage($2, source.storage) THEN
        RAISE EXCEPTION 'backup % is in this storage', $1
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name another storage.';
    END IF;
    SELECT c.* INTO known FROM pgbackup.copies c
     WHERE c.backup_id = $1 AND pgbackup._is_same_storage(c.storage, $2) LIMIT 1 FOR UPDATE;
    IF known.status = 'completed' THEN
        RAISE EXCEPTION 'backup % has a copy in this storage', $1
            USING ERRCODE = 'duplicate_object',
                  HINT = format('SELECT * FROM pgbackup.copies WHERE backup_id = %s shows all of them.', $1);
    END IF;
    IF known.id IS NULL THEN
        INSERT INTO pgbackup.copies (backup_id, storage, next_attempt_at)
        VALUES ($1, $2, clock_timestamp()) RETURNING id INTO copy_id;
    ELSE
        -- The new URL may name other credentials. One under way goes on as it is.
        UPDATE pgbackup.copies c
           SET storage = $2, attempts = 0, next_attempt_at = clock_timestamp()
         WHERE c.id = known.id AND c.status <> 'in_progress';
        copy_id := known.id;
    END IF;
    PERFORM pgbackup._wake_launcher();
    RETURN copy_id;
END $$;
COMMENT ON FUNCTION pgbackup.copy(bigint, text) IS
    'asks for a copy of a completed backup in another storage, or for another attempt at one, after the commit; returns the id of the copy, which pgbackup.wait() takes too';

CREATE FUNCTION pgbackup.presign(id bigint, expires interval DEFAULT '1 hour')
    RETURNS TABLE (object text, url text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    source pgbackup.backups;
    seconds bigint := extract(epoch FROM $2);
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('make URLs of backup %s', $1));
    source := pgbackup.get($1);
    IF source.status <> 'completed' THEN
        RAISE EXCEPTION 'backup % is %, so it has no objects', $1, source.status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Only a completed backup can be presigned.';
    END IF;
    IF source.storage NOT LIKE 's3://%' THEN
        RAISE EXCEPTION 'backup % is in %, which has no URLs', $1, source.storage
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Only backups in S3 can be presigned.';
    END IF;
    IF seconds IS NULL OR seconds NOT BETWEEN 1 AND 604800 THEN
        RAISE EXCEPTION 'invalid expires: %', coalesce($2::text, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use one second to seven days, which is the longest S3 allows.';
    END IF;
    RETURN QUERY SELECT u->>'name', u->>'url'
                   FROM jsonb_array_elements(pgbackup._ask_presign($1, seconds)->'urls') AS u;
END $$;
COMMENT ON FUNCTION pgbackup.presign(bigint, interval) IS
    'URLs with which anybody can download the objects of a backup in S3, without credentials, until they expire';

--
-- Restores
--

CREATE FUNCTION pgbackup._restorable_backup(backup_id bigint, purpose text DEFAULT 'restore') RETURNS pgbackup.backups
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source pgbackup.backups;
BEGIN
    PERFORM pgbackup._require_run_id(backup_id);
    SELECT b.* INTO source FROM pgbackup.backups b WHERE b.id = backup_id FOR SHARE;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup(backup_id);
    END IF;
    IF source.status <> 'completed' THEN
        RAISE EXCEPTION 'backup % is %, so there is nothing to %', backup_id, source.status, purpose
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = coalesce(source.message, ''),
                  HINT = format('SELECT (pgbackup.latest(%L)).id is the newest one that is complete.', source.database);
    END IF;
    RETURN source;
END $$;
COMMENT ON FUNCTION pgbackup._restorable_backup(bigint, text) IS
    'internal: a completed backup, kept from being deleted until the transaction ends; an error for any other';

CREATE FUNCTION pgbackup._check_no_other_restore(target name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pgbackup.restores r WHERE r.target_database = target AND r.mode <> 'verify'
                  AND r.status IN ('pending', 'in_progress')) THEN
        RAISE EXCEPTION 'another restore into database "%" is under way', target
            USING ERRCODE = 'object_in_use',
                  HINT = 'Wait for it, or cancel it: SELECT id, status FROM pgbackup.restores.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_no_other_restore(name) IS 'internal: an error while another run has this target';

CREATE FUNCTION pgbackup._check_target(target name, source_database name, may_exist boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF target IS NULL OR target = '' THEN
        RAISE EXCEPTION 'target_database must not be null or empty'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = format('Name a database that does not exist yet, such as %L.', source_database || '_restored');
    END IF;
    IF target IN ('template0', 'template1') OR NOT may_exist AND target IN ('postgres', current_database()) THEN
        RAISE EXCEPTION 'cannot restore into database "%"', target
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'The server or pgbackup itself needs this database.',
                  HINT = 'Name a database that does not exist yet.';
    END IF;
    PERFORM pgbackup._check_no_other_restore(target);
END $$;
COMMENT ON FUNCTION pgbackup._check_target(name, name, boolean) IS 'internal: an error unless a restore may be made into this database';

CREATE FUNCTION pgbackup._check_replaces_all(source pgbackup.backups, is_part boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what constant text := CASE WHEN is_part THEN 'a part of a backup'
        WHEN source.options->>'content' IN ('schema', 'data')
          OR source.options ?| '{schemas,tables,exclude_tables,exclude_table_data}'
        THEN format('backup %s, which holds a part of its database,', source.id) END;
BEGIN
    IF what IS NOT NULL THEN
        RAISE EXCEPTION '% cannot replace a whole database', what
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Everything else in the database would be gone.',
                  HINT = 'Restore it into a new database, and copy from there what you need.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_replaces_all(pgbackup.backups, boolean) IS
    'internal: an error unless the restore brings a whole database';

CREATE FUNCTION pgbackup._safety_backup(target name, restore_id bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    recent constant interval := pgbackup._seconds_of('recent_backup_window');
    newest timestamptz;
    backup_id bigint;
BEGIN
    IF recent IS NULL OR NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = target) THEN
        RETURN NULL;
    END IF;
    SELECT max(b.finished_at) INTO newest FROM pgbackup.backups b
     WHERE b.database = target AND b.status = 'completed' AND coalesce(b.options->>'content', 'all') = 'all'
       AND NOT b.options ?| '{schemas,tables,exclude_tables,exclude_table_data}';
    IF newest > clock_timestamp() - recent THEN
        RETURN NULL;
    END IF;
    IF NOT current_setting('pgbackup.safety_backup')::boolean THEN
        RAISE EXCEPTION 'there is no recent backup of database "%", which would be replaced', target
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = CASE WHEN newest IS NULL THEN 'There is none at all.'
                                ELSE format('The newest is %s old, pgbackup.recent_backup_window is %s.',
                                            pgbackup._roughly(clock_timestamp() - newest), pgbackup._roughly(recent)) END,
                  HINT = format('CALL pgbackup.run(%L) makes one; with pgbackup.safety_backup = on the restore does so itself.', target);
    END IF;
    backup_id := pgbackup.create(target, label => format('before restore %s', restore_id));
    RAISE NOTICE 'database "%" is backed up first: backup %', target, backup_id;
    RETURN backup_id;
END $$;
COMMENT ON FUNCTION pgbackup._safety_backup(name, bigint) IS
    'internal: the backup that a restore in place of this database has to wait for, which is asked for here; null when there is a recent one';

CREATE FUNCTION pgbackup._end_waiting_restore() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pgbackup.restores r
       SET status = 'failed', finished_at = clock_timestamp(),
           message = format('nothing was replaced: backup %s, which was to be made first, %s', OLD.id,
                            CASE WHEN TG_OP = 'DELETE' THEN 'was deleted' WHEN NEW.status = 'failed' THEN 'failed' ELSE 'was cancelled' END),
           detail = CASE WHEN TG_OP = 'UPDATE' THEN NEW.message END,
           hint = CASE WHEN TG_OP = 'UPDATE' THEN coalesce(NEW.hint || E'\n', '') ELSE '' END
                  || 'Restore again when the target can be backed up, or set pgbackup.recent_backup_window = 0 to do without.',
           sqlstate = CASE WHEN TG_OP = 'UPDATE' THEN NEW.sqlstate END
     WHERE r.safety_backup_id = OLD.id AND r.status = 'pending';
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._end_waiting_restore() IS 'internal: fails the restore that waits for a backup which will not be';

CREATE TRIGGER end_waiting_restore AFTER UPDATE OF status ON pgbackup.backups
    FOR EACH ROW WHEN (NEW.status IN ('failed', 'cancelled')) EXECUTE FUNCTION pgbackup._end_waiting_restore();
CREATE TRIGGER end_waiting_restore_of_deleted AFTER DELETE ON pgbackup.backups
    FOR EACH ROW EXECUTE FUNCTION pgbackup._end_waiting_restore();

CREATE FUNCTION pgbackup._check_into_schema(schema text, target name, replace boolean, is_part boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF schema IS NULL THEN
        RETURN;
    END IF;
    IF replace THEN
        RAISE EXCEPTION 'replace and into_schema exclude each other'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'With into_schema the target database stays as it is, and gets a schema more.',
                  HINT = 'Leave one of them out.';
    END IF;
    IF NOT is_part THEN
        RAISE EXCEPTION 'into_schema needs tables or schemas'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name what to restore: tables => ''{public.orders}''. A whole database is restored under a name of its own.';
    END IF;
    IF schema = '' OR octet_length(schema) > 63 OR schema ~ '^pg_' OR schema IN ('information_schema', 'pgbackup') THEN
        RAISE EXCEPTION 'invalid into_schema: %', quote_literal(schema)
            USING ERRCODE = 'invalid_schema_name',
                  HINT = 'Use the name of a schema that does not exist yet, such as ''recovered''.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = target AND d.datallowconn) THEN
        RAISE EXCEPTION 'there is no database "%" that accepts connections', target
            USING ERRCODE = 'invalid_catalog_name',
                  DETAIL = 'With into_schema the target is a database that exists.',
                  HINT = 'SELECT datname FROM pg_database WHERE datallowconn shows all.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_into_schema(text, name, boolean, boolean) IS
    'internal: an error unless a part of a backup can be restored into a new schema of a database';

CREATE FUNCTION pgbackup._name_beside(database name, suffix text) RETURNS name
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (left(database::text, length) || suffix)::name
      FROM generate_series(63, 0, -1) AS l (length)
     WHERE octet_length(left(database::text, length) || suffix) <= 63 LIMIT 1
$$;
COMMENT ON FUNCTION pgbackup._name_beside(name, text) IS
    'internal: the name of a database with something behind it, cut so that all of that is there';

CREATE FUNCTION pgbackup._check_flag(what text, value boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL THEN
        RAISE EXCEPTION '% must not be null', what
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Use true or false.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_flag(text, boolean) IS 'internal: an error for null';

CREATE FUNCTION pgbackup._is_beside(database oid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_database d, pgbackup.restores r
                    WHERE d.oid = $1
                      AND (r.kept_oid = d.oid
                           OR r.status = 'in_progress'
                              AND d.datname = pgbackup._name_beside(r.target_database, '__restore_' || r.id)))
$$;
COMMENT ON FUNCTION pgbackup._is_beside(oid) IS
    'internal: whether a database is one that a restore is filling, or keeps: the schedule does not back it up';

CREATE FUNCTION pgbackup._restore_rate(database name) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (sum(b.raw_size) / nullif(sum(extract(epoch FROM r.duration)), 0))::bigint
      FROM (SELECT r.backup_id, r.duration, r.database = $1 AS is_same, bool_or(r.database = $1) OVER () AS any_same
              FROM pgbackup.restores r
             WHERE r.mode = 'restore' AND r.status = 'completed' AND r.options->>'content' = 'all'
               AND r.duration > interval '0'  -- the clock may have been set back
               AND NOT r.options ?| '{schemas,tables,into_schema}'
             ORDER BY r.database = $1 DESC, r.id DESC LIMIT 10) AS r
      JOIN pgbackup.backups b ON b.id = r.backup_id
     WHERE r.is_same OR NOT r.any_same
$$;
COMMENT ON FUNCTION pgbackup._restore_rate(name) IS
    'internal: bytes of content per second in the last complete restores of this database or, when there was none, of any; null when nothing was restored';

CREATE FUNCTION pgbackup.restore(
    backup_id bigint,
    target_database name,
    replace boolean DEFAULT false,
    dry_run boolean DEFAULT false,
    schemas text[] DEFAULT NULL,
    tables text[] DEFAULT NULL,
    content text DEFAULT 'all',
    jobs int DEFAULT NULL,
    passkey text DEFAULT NULL,
    create_roles boolean DEFAULT false,
    into_schema text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    source pgbackup.backups;
    run_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('restore backup %s into database "%s"', backup_id, target_database));
    source := pgbackup._restorable_backup(backup_id);
    PERFORM pgbackup._check_flag('replace', replace);
    PERFORM pgbackup._check_target(target_database, source.database, replace OR into_schema IS NOT NULL);
    PERFORM pgbackup._check_flag('dry_run', dry_run);
    PERFORM pgbackup._check_flag('create_roles', create_roles);
    IF passkey IS NOT NULL THEN
        RAISE EXCEPTION 'passkeys are not supported yet'
            USING ERRCODE = 'feature_not_supported', HINT = 'Leave passkey out: it would protect nothing.';
    END IF;
    PERFORM pgbackup._check_names('schemas', schemas);
    PERFORM pgbackup._check_names('tables', tables);
    PERFORM pgbackup._check_choice('content', content, '{all,schema,data}');
    PERFORM pgbackup._check_jobs(jobs);
    PERFORM pgbackup._check_into_schema(into_schema, target_database, replace, schemas IS NOT NULL OR tables IS NOT NULL);
    IF replace THEN
        PERFORM pgbackup._check_replaces_all(source, schemas IS NOT NULL OR tables IS NOT NULL OR content <> 'all');
    END IF;
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (backup_id, CASE WHEN dry_run THEN 'dry_run' ELSE 'restore' END, source.database, target_database,
            jsonb_strip_nulls(jsonb_build_object('schemas', schemas, 'tables', tables,
                'content', content,
                'jobs', coalesce(jobs, current_setting('pgbackup.jobs')::int),
                'replace', replace, 'dry_run', dry_run, 'create_roles', create_roles,
                'into_schema', into_schema)))
    RETURNING id INTO run_id;
    IF replace AND NOT dry_run THEN
        UPDATE pgbackup.restores r SET safety_backup_id = pgbackup._safety_backup(target_database, run_id) WHERE r.id = run_id;
    END IF;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.restore(bigint, name, boolean, boolean, text[], text[], text, int, text, boolean, text) IS
    'asks for a restore into a database that does not exist or is empty or, with replace, in place of one; it starts when the transaction commits. What is replaced stays under the name in kept_database of pgbackup.restores, and pgbackup.undo_restore() brings it back; without a backup of it from within pgbackup.recent_backup_window one is made first. schemas and tables (schema.table, quoted as in SQL) choose a part; content is all, schema, or data (tables with their rows and nothing built on them). With create_roles roles that the backup needs and this server lacks are made as they were, but without passwords. With dry_run everything is checked and read, and message and detail of pgbackup.restores say what would be done, which is not. With into_schema the part goes into a new schema of that name in the target, an existing database that stays as it is. Returns the id of the restore';

CREATE PROCEDURE pgbackup.run_restore(
    backup_id bigint,
    target_database name,
    replace boolean DEFAULT false,
    dry_run boolean DEFAULT false,
    schemas text[] DEFAULT NULL,
    tables text[] DEFAULT NULL,
    content text DEFAULT 'all',
    jobs int DEFAULT NULL,
    passkey text DEFAULT NULL,
    create_roles boolean DEFAULT false,
    into_schema text DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_run_restore';
COMMENT ON PROCEDURE pgbackup.run_restore(bigint, name, boolean, boolean, text[], text[], text, int, text, boolean, text) IS
    'restores a backup and waits for it, showing progress; raises an error when it does not complete. The arguments are those of pgbackup.restore()';

CREATE FUNCTION pgbackup.undo_restore(restore_id bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    undone pgbackup.restores;
    run_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('undo restore %s', restore_id));
    IF restore_id IS NULL THEN
        RAISE EXCEPTION 'restore id must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'SELECT id, target_database, kept_database FROM pgbackup.restores shows all.';
    END IF;
    SELECT r.* INTO undone FROM pgbackup.restores r WHERE r.id = restore_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no restore %', restore_id
            USING ERRCODE = 'undefined_object',
                  HINT = 'SELECT id, target_database, kept_database FROM pgbackup.restores shows all.';
    END IF;
    IF undone.kept_database IS NULL THEN
        RAISE EXCEPTION 'restore % cannot be undone', restore_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = CASE WHEN undone.status <> 'completed' THEN format('It is %s.', undone.status)
                                ELSE 'Nothing that it has replaced is kept (any more).' END,
                  HINT = 'SELECT id, target_database, kept_database FROM pgbackup.restores WHERE kept_database IS NOT NULL shows those that can.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_database d WHERE d.oid = undone.kept_oid AND d.datname = undone.kept_database) THEN
        RAISE EXCEPTION 'restore % cannot be undone', restore_id
            USING ERRCODE = 'invalid_catalog_name',
                  DETAIL = format('The database "%s" that it has kept has been dropped or renamed.', undone.kept_database),
                  HINT = 'Give it that name again or, if it is gone, restore a backup of that time.';
    END IF;
    PERFORM pgbackup._check_no_other_restore(undone.target_database);
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (undone.backup_id, 'undo', undone.database, undone.target_database,
            jsonb_build_object('restore_id', restore_id))
    RETURNING id INTO run_id;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.undo_restore(bigint) IS
    'asks for the database back that a restore (or an undo) has replaced; what has its name now is kept in its place. Starts when the transaction commits; returns the id of the run, for pgbackup.wait()';

--
-- Verifying
--

CREATE FUNCTION pgbackup.verify(backup_id bigint, level text DEFAULT 'checksum') RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    source pgbackup.backups;
    run_id bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('verify backup %s, level %s', backup_id, level));
    PERFORM pgbackup._check_choice('level', level, '{checksum,archive,restore}');
    source := pgbackup._restorable_backup(backup_id, 'verify');
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (backup_id, 'verify', source.database, source.database,
            jsonb_build_object('level', level, 'jobs', current_setting('pgbackup.jobs')::int))
    RETURNING id INTO run_id;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.verify(bigint, text) IS
    'asks for a proof that a completed backup is good; starts when the transaction commits. Level checksum reads every object, compares it with its SHA-256 and decompresses it; archive also has pg_restore read all of it and compares the tables of contents with the manifest; restore restores it into a database beside all others, which is then dropped. The row in pgbackup.restores (mode verify) tells the outcome, verified_at and verified_level of the backup the last good one. Returns the id of the run, for pgbackup.wait()';

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
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp()
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
COMMENT ON COLUMN pgbackup.named_schedules.created_by IS 'role that made it';
COMMENT ON COLUMN pgbackup.named_schedules.changed_at IS 'when it was made or changed';

CREATE TABLE pgbackup.schedule_states (
    schedule   text PRIMARY KEY,
    definition text NOT NULL,
    since      timestamptz NOT NULL
);
COMMENT ON TABLE pgbackup.schedule_states IS 'how far the launcher is with each schedule';
COMMENT ON COLUMN pgbackup.schedule_states.schedule IS 'name of the schedule';
COMMENT ON COLUMN pgbackup.schedule_states.definition IS 'what it was: another one starts anew';
COMMENT ON COLUMN pgbackup.schedule_states.since IS 'slots up to this time are settled: they have rows in pgbackup.slots, or were before the schedule';

CREATE TABLE pgbackup.slots (
    schedule   text NOT NULL,
    slot       timestamptz NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('run', 'caught_up', 'skipped', 'missed')),
    first_slot timestamptz NOT NULL,
    slots      bigint NOT NULL DEFAULT 1,
    message    text,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schedule, slot, outcome)
);
CREATE UNIQUE INDEX slots_settled ON pgbackup.slots (schedule, slot) WHERE outcome <> 'missed';
COMMENT ON TABLE pgbackup.slots IS 'what became of the times of schedules';
COMMENT ON COLUMN pgbackup.slots.schedule IS 'name of the schedule';
COMMENT ON COLUMN pgbackup.slots.slot IS 'the time; of several that were missed in a row, the last one';
COMMENT ON COLUMN pgbackup.slots.outcome IS 'run, caught_up (late, after the server had been down), skipped (message says why) or missed';
COMMENT ON COLUMN pgbackup.slots.first_slot IS 'of several that were missed in a row, the first one';
COMMENT ON COLUMN pgbackup.slots.slots IS 'how many';
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
    'internal: the first time of a cron expression after another, null for never; an empty zone is that of the settings';

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
    SELECT $2 = '*' OR $1 LIKE replace(replace($2, '\', '\\'), '_', '\_')
$$;
COMMENT ON FUNCTION pgbackup._matches(text, text) IS 'internal: whether a name is selected by an element of pgbackup.databases: *, a name, or one with % for any characters';

CREATE FUNCTION pgbackup._select_databases(databases text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH element AS (SELECT e FROM unnest(pgbackup._split_selection(databases)) AS e),
    named AS (
        SELECT d.datname::text AS name FROM pg_database d, element
         WHERE element.e !~ '^-' AND (element.e = '*' OR element.e LIKE '%\%%') AND pgbackup._matches(d.datname, element.e)
           AND d.datallowconn AND NOT d.datistemplate AND NOT pgbackup._is_beside(d.oid)
        UNION
        SELECT e FROM element WHERE e !~ '^-' AND e <> '*' AND e NOT LIKE '%\%%')
    SELECT name FROM named
     WHERE NOT EXISTS (SELECT FROM element WHERE e ~ '^-' AND pgbackup._matches(name, substr(e, 2)))
     ORDER BY name
$$;
COMMENT ON FUNCTION pgbackup._select_databases(text) IS
    'internal: the databases that a list such as pgbackup.databases selects; one that is named is among them even if it does not exist';

CREATE VIEW pgbackup.schedules AS
    SELECT s.name, s.cron, pgbackup._cron_words(s.cron) AS in_words, s.enabled, s.timezone, s.jitter, s.databases, s.content,
           s.format, s.label, s.storage, s.jobs, s.compression, s.retention_count, s.retention_days, s.retention_daily,
           s.retention_weekly, s.retention_monthly, s.retention_yearly
      FROM (SELECT 'default' AS name, current_setting('pgbackup.schedule', true) AS cron, current_setting('pgbackup.timezone', true) AS timezone,
                   current_setting('pgbackup.schedule', true) <> '' AND current_setting('pgbackup.storage', true) <> '' AS enabled,
                   (SELECT setting::int FROM pg_settings WHERE name = 'pgbackup.jitter') AS jitter,
                   current_setting('pgbackup.databases', true) AS databases, 'all' AS content,
                   current_setting('pgbackup.format', true) AS format, NULL AS label, current_setting('pgbackup.storage', true) AS storage,
                   current_setting('pgbackup.jobs', true)::int AS jobs, current_setting('pgbackup.compression', true) AS compression,
                   NULL::int AS retention_count, NULL::int AS retention_days, NULL::int AS retention_daily,
                   NULL::int AS retention_weekly, NULL::int AS retention_monthly, NULL::int AS retention_yearly
            UNION ALL
            SELECT n.name, n.cron, coalesce(n.timezone, current_setting('pgbackup.timezone', true)),
                   n.enabled AND coalesce(n.storage, current_setting('pgbackup.storage', true)) <> '',
                   coalesce(n.jitter, (SELECT setting::int FROM pg_settings WHERE name = 'pgbackup.jitter')),
                   coalesce(n.databases, current_setting('pgbackup.databases', true)), coalesce(n.content, 'all'),
                   coalesce(n.format, current_setting('pgbackup.format', true)), n.label,
                   coalesce(n.storage, current_setting('pgbackup.storage', true)),
                   coalesce(n.jobs, current_setting('pgbackup.jobs', true)::int),
                   coalesce(n.compression, current_setting('pgbackup.compression', true)),
                   n.retention_count, n.retention_days, n.retention_daily, n.retention_weekly, n.retention_monthly, n.retention_yearly
              FROM pgbackup.named_schedules n) AS s;
COMMENT ON VIEW pgbackup.schedules IS
    'every schedule, with what the settings add to it: default is that of pgbackup.schedule, the others were made by pgbackup.schedule(). One without a storage is not enabled';

CREATE FUNCTION pgbackup._check_schedule_options(name text, cron text, databases text, timezone text, jitter interval,
    label text, storage text, retention int[]) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(name, '') = '' OR name = 'default' OR octet_length(name) > 63 OR name ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION 'invalid name of a schedule: %', coalesce(quote_literal(name), 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A name has 1 to 63 bytes, none of them a control character; "default" is the schedule of pgbackup.schedule.',
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
    IF (SELECT count(*) FROM pgbackup.named_schedules n WHERE n.name <> name) >= 63 THEN
        RAISE EXCEPTION 'too many schedules'
            USING ERRCODE = 'program_limit_exceeded', DETAIL = 'There can be 63 beside the default one.',
                  HINT = 'Drop one with pgbackup.unschedule(), or let one schedule do for several databases.';
    END IF;
    INSERT INTO pgbackup.named_schedules AS n
    VALUES (name, cron, databases, content, format, label, storage, jobs, compression, timezone,
            ceil(extract(epoch FROM jitter))::int, enabled, retention_count, retention_days, retention_daily,
            retention_weekly, retention_monthly, retention_yearly)
    ON CONFLICT ON CONSTRAINT named_schedules_pkey DO UPDATE
       SET (cron, databases, content, format, label, storage, jobs, compression, timezone, jitter, enabled,
            retention_count, retention_days, retention_daily, retention_weekly, retention_monthly, retention_yearly, changed_at)
         = ROW (excluded.cron, excluded.databases, excluded.content, excluded.format, excluded.label, excluded.storage,
            excluded.jobs, excluded.compression, excluded.timezone, excluded.jitter, excluded.enabled,
            excluded.retention_count, excluded.retention_days, excluded.retention_daily, excluded.retention_weekly,
            excluded.retention_monthly, excluded.retention_yearly, clock_timestamp());
    PERFORM pgbackup._wake_launcher();
    RETURN (SELECT pgbackup._next_start(s) FROM pgbackup.schedules s WHERE s.name = name);
END $$;
COMMENT ON FUNCTION pgbackup.schedule(text, text, text, text, text, text, text, int, text, text, interval, boolean, int, int, int, int, int, int) IS
    'makes a schedule, or changes the one of this name as a whole, and returns when it starts next. What is left out comes from the settings; with one of the retention_* rules, those of the settings do not count for its backups';

CREATE FUNCTION pgbackup.unschedule(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('drop schedule %s', quote_literal($1)));
    DELETE FROM pgbackup.named_schedules n WHERE n.name = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no schedule %', coalesce(quote_literal($1), 'null')
            USING ERRCODE = 'undefined_object',
                  HINT = CASE WHEN $1 = 'default' THEN 'ALTER SYSTEM SET pgbackup.schedule = '''' ends the default one.'
                              ELSE 'SELECT name FROM pgbackup.schedules shows those that there are.' END;
    END IF;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup.unschedule(text) IS 'drops a schedule; its backups stay, from then on with the retention of the settings';

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

CREATE FUNCTION pgbackup._sync_schedules(at timestamptz)
    RETURNS TABLE (name text, cron text, timezone text, delay bigint, since timestamptz)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO pgbackup.schedule_states AS t (schedule, definition, since)
    SELECT s.name, concat_ws(' in ', s.cron, nullif(s.timezone, '')), at FROM pgbackup.schedules s
     WHERE s.enabled AND NOT EXISTS (SELECT FROM pgbackup.schedule_states t WHERE t.schedule = s.name
                                        AND t.definition = concat_ws(' in ', s.cron, nullif(s.timezone, '')))
    ON CONFLICT (schedule) DO UPDATE SET definition = excluded.definition, since = excluded.since;
    DELETE FROM pgbackup.schedule_states t
     WHERE NOT EXISTS (SELECT FROM pgbackup.schedules s WHERE s.name = t.schedule AND s.enabled);
    -- When the clock has been set back, what was missed by its wrong time is still to come.
    UPDATE pgbackup.schedule_states t
       SET since = least(at, (SELECT min(m.first_slot) - interval '1 second' FROM pgbackup.slots m
                               WHERE m.schedule = t.schedule AND m.outcome = 'missed' AND m.slot > at))
     WHERE t.since > at;
    DELETE FROM pgbackup.slots m WHERE m.outcome = 'missed' AND m.slot > at;
    RETURN QUERY SELECT s.name, s.cron, s.timezone, extract(epoch FROM pgbackup._jitter_delay(s.name, s.jitter))::bigint, t.since
                   FROM pgbackup.schedules s JOIN pgbackup.schedule_states t ON t.schedule = s.name ORDER BY s.name;
END $$;
COMMENT ON FUNCTION pgbackup._sync_schedules(timestamptz) IS
    'internal: the schedules that run, each with how far it is; a new or changed one begins at that time';

CREATE FUNCTION pgbackup._start_slot(schedule text, slot timestamptz, OUT started bigint, OUT message text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    s pgbackup.schedules;
    wanted name[];
    busy name[];
BEGIN
    SELECT v.* INTO s FROM pgbackup.schedules v WHERE v.name = schedule;
    wanted := ARRAY(SELECT pgbackup._select_databases(s.databases));
    -- One that waits to be tried again makes way for the new run.
    SELECT array_agg(b.database), string_agg(format('backup %s of database "%s" is still %s', b.id, b.database,
               CASE b.status WHEN 'pending' THEN 'waiting' ELSE 'under way' END), '; ' ORDER BY b.id)
      INTO busy, message FROM pgbackup.backups b
     WHERE b.schedule = schedule AND b.slot < slot AND b.database = ANY (wanted)
       AND (b.status = 'in_progress' OR b.status = 'pending' AND b.not_before IS NULL);
    INSERT INTO pgbackup.backups (database, storage, backup_type, schedule, slot, label, format, created_by, options)
    SELECT w.name, s.storage, 'scheduled', s.name, slot, s.label, s.format, session_user,
           jsonb_build_object('content', s.content, 'format', s.format, 'jobs', s.jobs, 'compression', s.compression)
      FROM unnest(wanted) AS w (name) WHERE w.name <> ALL (coalesce(busy, '{}')) ORDER BY w.name;
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
    SELECT * INTO began FROM pgbackup._start_slot(schedule, due);
    IF began.message IS NOT NULL THEN
        UPDATE pgbackup.slots t
           SET outcome = CASE WHEN began.started = 0 THEN 'skipped' ELSE t.outcome END, message = began.message
         WHERE t.schedule = schedule AND t.slot = due AND t.outcome <> 'missed';
    END IF;
    RETURN began.started;
END $$;
COMMENT ON FUNCTION pgbackup._settle_slots(text, timestamptz, boolean, bigint, timestamptz, timestamptz) IS
    'internal: records what becomes of times of a schedule, and queues the backups of the one that is due; returns how many';

--
-- Checking the setup (src/pg/sql_check.cpp)
--

CREATE FUNCTION pgbackup._ask_check(needed_bytes bigint, storage text, with_server boolean) RETURNS jsonb
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgbackup_ask_check';
COMMENT ON FUNCTION pgbackup._ask_check(bigint, text, boolean) IS 'internal: has an agent try a storage, unless that is empty, and with_server also programs and connection';

CREATE FUNCTION pgbackup._check_launcher() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'launcher',
           CASE WHEN pid IS NOT NULL THEN 'ok' WHEN pg_is_in_recovery() THEN 'warning' ELSE 'error' END,
           CASE WHEN pid IS NOT NULL THEN format('runs as process %s', pid)
                WHEN pg_is_in_recovery() THEN 'does not run on a standby'
                ELSE 'does not run' END,
           CASE WHEN pid IS NOT NULL THEN NULL
                WHEN pg_is_in_recovery() THEN 'Backups are made on the primary.'
                ELSE 'Look in the server''s log for why it ended; the server starts it again within ten seconds.' END
      FROM pgbackup.launcher_pid() AS pid
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
          FROM named WHERE datallowconn IS NOT TRUE)
    SELECT 'databases', CASE WHEN words IS NULL THEN 'ok' ELSE 'error' END,
           coalesce(words, format('pgbackup.databases = %s', current_setting('pgbackup.databases'))),
           CASE WHEN words IS NOT NULL THEN 'Correct pgbackup.databases: every scheduled run of these will fail.' END
      FROM problem
$$;
COMMENT ON FUNCTION pgbackup._check_databases() IS 'internal: the row about pgbackup.databases';

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
    RETURN QUERY SELECT * FROM pgbackup._check_launcher();
    RETURN QUERY SELECT * FROM pgbackup._check_schedule();
    RETURN QUERY SELECT * FROM pgbackup._check_databases();
    RETURN QUERY SELECT * FROM pgbackup._check_storage_setting();
    RETURN QUERY SELECT * FROM pgbackup._check_agent(current_setting('pgbackup.storage'), true);
    RETURN QUERY SELECT format('copy %s: %s', w.n, c.item), c.status, c.detail, c.hint
                   FROM pgbackup._wanted_copies(current_setting('pgbackup.storage')) WITH ORDINALITY AS w (storage, n),
                        pgbackup._check_agent(w.storage, false) AS c;
END $$;
COMMENT ON FUNCTION pgbackup.check() IS
    'tries everything that backups and restores need, the storage with small objects that it removes again; one row for each thing, status ok, warning, error or skipped, and a hint on what to do';

--
-- Retention (src/core/retention, src/pg/sql_retention.cpp)
--

CREATE FUNCTION pgbackup._lock_days(storage text) RETURNS int
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN $1 LIKE 's3://%' AND mode <> '' THEN coalesce(nullif(days, ''), '0')::int ELSE 0 END
      FROM (VALUES (coalesce(substring($1 FROM '[?&]object_lock_mode=([^&]*)'), current_setting('pgbackup.s3_object_lock_mode')),
                    coalesce(substring($1 FROM '[?&]object_lock_days=([^&]*)'), current_setting('pgbackup.s3_object_lock_days'))))
           AS s (mode, days)
$$;
COMMENT ON FUNCTION pgbackup._lock_days(text) IS 'internal: for how many days what is written to a storage now cannot be removed';

CREATE FUNCTION pgbackup._retain_until(storage text, at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN max(pgbackup._lock_days(s.url)) > 0 THEN $2 + max(pgbackup._lock_days(s.url)) * interval '24 hours' END
      FROM (SELECT $1 UNION ALL SELECT * FROM pgbackup._wanted_copies($1)) AS s (url)
$$;
COMMENT ON FUNCTION pgbackup._retain_until(text, timestamptz) IS
    'internal: until when a backup of this moment in this storage, and its copies, cannot be removed; null when they can be';

CREATE FUNCTION pgbackup._plan_retention(OUT backup_id bigint, OUT kept boolean, OUT reason text, OUT suspicious boolean)
    RETURNS SETOF record
    LANGUAGE c VOLATILE ROWS 1000 AS 'MODULE_PATHNAME', 'pgbackup_plan_retention';
COMMENT ON FUNCTION pgbackup._plan_retention() IS 'internal: the completed backups, which of them retention keeps, and why';

CREATE FUNCTION pgbackup._removal_in_words(backup_id bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE WHEN d.message IS NULL THEN 'expired, its objects are being removed'
                           ELSE format('expired, but its objects could not be removed (attempt %s): %s', d.attempts, d.message) END,
                      '; ' ORDER BY d.run_id)
      FROM pgbackup.removals d WHERE $1 IN (d.run_id, d.backup_id) AND d.reason = 'expired'
$$;
COMMENT ON FUNCTION pgbackup._removal_in_words(bigint) IS 'internal: what is left to remove of an expired backup, null for nothing';

CREATE FUNCTION pgbackup.retention_plan()
    RETURNS TABLE (backup_id bigint, database name, schedule text, finished_at timestamptz, file_size bigint, action text, reason text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._require_server();
    RETURN QUERY
        SELECT b.id, b.database, b.schedule, b.finished_at, b.file_size, CASE WHEN p.kept THEN 'keep' ELSE 'delete' END, p.reason
          FROM pgbackup._plan_retention() p JOIN pgbackup.backups b ON b.id = p.backup_id
        UNION ALL
        SELECT b.id, b.database, b.schedule, b.finished_at, b.file_size, 'delete', pgbackup._removal_in_words(b.id)
          FROM pgbackup.backups b WHERE b.status = 'expired' AND pgbackup._removal_in_words(b.id) IS NOT NULL
         ORDER BY 2, 4 DESC, 1 DESC;
END $$;
COMMENT ON FUNCTION pgbackup.retention_plan() IS
    'every completed backup, whether retention keeps or deletes it, and why; also those given up whose objects could not be removed yet';

CREATE FUNCTION pgbackup._expire(backup_id bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    doomed pgbackup.backups;
BEGIN
    -- Whoever holds the row restores, copies, pins or deletes it: it can wait.
    SELECT b.* INTO doomed FROM pgbackup.backups b
     WHERE b.id = backup_id AND b.status = 'completed' AND NOT b.pinned FOR UPDATE SKIP LOCKED;
    IF NOT FOUND
       OR EXISTS (SELECT FROM pgbackup.restores r WHERE r.backup_id = doomed.id AND r.status IN ('pending', 'in_progress'))
       OR EXISTS (SELECT FROM pgbackup.copies c WHERE c.backup_id = doomed.id AND c.status = 'in_progress') THEN
        RETURN false;
    END IF;
    -- Where another backup that is complete has the same folder, the objects are that one's.
    IF doomed.file_name IS NOT NULL
       AND NOT EXISTS (SELECT FROM pgbackup.backups o WHERE o.status = 'completed' AND o.id <> doomed.id
                          AND o.file_name = doomed.file_name) THEN
        INSERT INTO pgbackup.removals (run_id, storage, file_name, reason)
        VALUES (doomed.id, doomed.storage, doomed.file_name, 'expired')
        ON CONFLICT (run_id) DO NOTHING;
        INSERT INTO pgbackup.removals (run_id, backup_id, storage, file_name, reason)
        SELECT c.id, c.backup_id, c.storage, doomed.file_name,
               CASE c.status WHEN 'completed' THEN 'expired' ELSE 'unfinished' END
          FROM pgbackup.copies c WHERE c.backup_id = doomed.id AND c.started_at IS NOT NULL
        ON CONFLICT (run_id) DO NOTHING;
    END IF;
    DELETE FROM pgbackup.copies c WHERE c.backup_id = doomed.id;
    UPDATE pgbackup.backups b SET status = 'expired', expired_at = clock_timestamp(),
           message = concat_ws('; ', b.message, 'given up by retention') WHERE b.id = doomed.id;
    RETURN true;
END $$;
COMMENT ON FUNCTION pgbackup._expire(bigint) IS
    'internal: gives a backup up and queues the removal of its objects and copies; false when somebody uses it';

CREATE FUNCTION pgbackup._flag_small_backups() RETURNS SETOF pgbackup.backups
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.backups b
       SET message = concat_ws('; ', b.message, substring(p.reason FROM 'suspiciously small.*') || ', so older ones are kept'),
           hint = concat_ws(' ', b.hint, 'Find out whether data are missing. If not, SET pgbackup.min_size_ratio lower, or wait until this size is the usual one.')
      FROM pgbackup._plan_retention() p
     WHERE p.suspicious AND b.id = p.backup_id AND coalesce(b.message, '') NOT LIKE '%suspiciously small%'
    RETURNING b.*
$$;
COMMENT ON FUNCTION pgbackup._flag_small_backups() IS 'internal: says so in the rows of the newest backups that are suspiciously small, once';

CREATE FUNCTION pgbackup._forget_expired() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM pgbackup.backups b
     WHERE b.status = 'expired' AND current_setting('pgbackup.history_days')::int > 0
       AND b.expired_at < now() - current_setting('pgbackup.history_days')::int * interval '24 hours'
       AND NOT EXISTS (SELECT FROM pgbackup.removals d WHERE b.id IN (d.run_id, d.backup_id));
    DELETE FROM pgbackup.slots t WHERE t.decided_at < now() - interval '35 days';
$$;
COMMENT ON FUNCTION pgbackup._forget_expired() IS
    'internal: deletes the rows of backups that expired longer ago than pgbackup.history_days and whose objects are gone, and what became of times of schedules more than 35 days ago';

CREATE FUNCTION pgbackup._apply_retention(dry_run boolean DEFAULT false)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    doomed record;
BEGIN
    RETURN QUERY SELECT b.id, b.file_name, pgbackup._removal_in_words(b.id), 'is being removed'
                   FROM pgbackup.backups b
                  WHERE b.status = 'expired' AND pgbackup._removal_in_words(b.id) IS NOT NULL ORDER BY b.id;
    FOR doomed IN SELECT b.id, b.file_name, p.reason
                    FROM pgbackup._plan_retention() p JOIN pgbackup.backups b ON b.id = p.backup_id
                   WHERE NOT p.kept ORDER BY b.id LOOP
        CONTINUE WHEN NOT dry_run AND NOT pgbackup._expire(doomed.id);
        RETURN QUERY SELECT doomed.id, doomed.file_name, doomed.reason,
                            CASE WHEN dry_run THEN 'would remove' ELSE 'is being removed' END;
    END LOOP;
    IF NOT dry_run THEN
        PERFORM pgbackup._forget_expired();
        PERFORM pgbackup._wake_launcher();
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._apply_retention(boolean) IS
    'internal: lets the backups expire that no rule keeps, or with dry_run only tells which; their objects are removed after the commit';

--
-- Cleaning up the storage (src/pg/sql_janitor.cpp)
--

CREATE FUNCTION pgbackup._ask_janitor(storage text, older_than bigint, folders text[], upload_folders text[]) RETURNS jsonb
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_ask_janitor';
COMMENT ON FUNCTION pgbackup._ask_janitor(text, bigint, text[], text[]) IS
    'internal: has an agent look for leftovers older than so many seconds or, when it is given folders, remove them there';

CREATE FUNCTION pgbackup._cleanup_age() RETURNS interval
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN setting = '0' THEN interval '7 days'
                ELSE make_interval(secs => setting::int) + interval '1 hour' END
      FROM pg_settings WHERE name = 'pgbackup.timeout'
$$;
COMMENT ON FUNCTION pgbackup._cleanup_age() IS
    'internal: what is older belongs to no run: the longest one allowed (pgbackup.timeout) and an hour, or seven days';

CREATE FUNCTION pgbackup._age_in_words(age interval) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s %s%s', n, unit, CASE WHEN n <> 1 THEN 's' END)
      FROM (SELECT extract(epoch FROM $1)::bigint AS seconds) AS s,
           LATERAL (SELECT CASE WHEN seconds > 0 AND seconds % 86400 = 0 THEN seconds / 86400
                                WHEN seconds > 0 AND seconds % 3600 = 0 THEN seconds / 3600 ELSE seconds END,
                           CASE WHEN seconds > 0 AND seconds % 86400 = 0 THEN 'day'
                                WHEN seconds > 0 AND seconds % 3600 = 0 THEN 'hour' ELSE 'second' END) AS w (n, unit)
$$;
COMMENT ON FUNCTION pgbackup._age_in_words(interval) IS 'internal: 7 days, 2 hours';

CREATE FUNCTION pgbackup._leftovers(storage text, found jsonb, age text, done text)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text, what text, count bigint, removable boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH leftover AS (
        SELECT n, e->>'folder' AS folder, e->>'what' AS what, (e->>'probe')::boolean AS probe,
               (e->>'count')::bigint AS count, e->>'kept' AS kept
          FROM jsonb_array_elements(found) WITH ORDINALITY AS f (e, n)),
    owner AS (
        SELECT DISTINCT ON (b.file_name) b.file_name, b.id, coalesce(c.status, b.status) AS status
          FROM pgbackup.backups b
          -- Where its copies are, a backup's folder is as far as that copy is.
          LEFT JOIN pgbackup.copies c ON c.backup_id = b.id AND pgbackup._is_same_storage(c.storage, $1)
         WHERE b.file_name IN (SELECT folder FROM leftover)
         ORDER BY b.file_name, coalesce(c.status, b.status) = 'in_progress' DESC,
                  coalesce(c.status, b.status) = 'completed' DESC, b.id DESC),
    judged AS (
        SELECT l.*, o.id, CASE WHEN l.kept IS NULL AND l.what = 'objects' AND o.status = 'completed'
                               THEN 'the catalog has a completed backup here, whose manifest is missing'
                               ELSE l.kept END AS why_kept
          FROM leftover l LEFT JOIN owner o ON o.file_name = l.folder
         -- The folder of a run is the run's; of a completed backup nothing is foreign.
         WHERE o.status IS NULL OR NOT (o.status = 'in_progress' OR (o.status = 'completed' AND l.what = 'foreign')))
    SELECT id, folder,
           CASE WHEN what = 'foreign' THEN format('%s object%s with %s', count, CASE WHEN count > 1 THEN 's' END,
                                                  CASE WHEN count > 1 THEN 'other names' ELSE 'another name' END)
                WHEN what = 'objects' AND probe THEN format('left by a check, older than %s', age)
                WHEN what = 'objects' THEN format('no manifest, older than %s', age)
                WHEN count = 1 THEN format('unfinished upload older than %s', age)
                ELSE format('%s unfinished uploads older than %s', count, age) END
           || CASE WHEN $1 <> current_setting('pgbackup.storage') THEN format(', in %s', split_part($1, '?', 1)) ELSE '' END,
           coalesce('kept: ' || why_kept, done), what, count, why_kept IS NULL
      FROM judged ORDER BY n
$$;
COMMENT ON FUNCTION pgbackup._leftovers(text, jsonb, text, text) IS 'internal: what an agent has found, with what the catalog knows about it';

CREATE FUNCTION pgbackup._cleanup_storage(storage text, dry_run boolean, older_than interval)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    folders_at_once constant int := 200;  -- a job has room for a megabyte
    seconds bigint := ceil(extract(epoch FROM older_than));
    age text := pgbackup._age_in_words(older_than);
    found jsonb := pgbackup._ask_janitor(storage, seconds, NULL, NULL)->'found';
    doomed text[];
    batch text[];
    leftover record;
    objects bigint := 0;
    uploads bigint := 0;
    kind text;
BEGIN
    -- What stays, and in a dry run what would go.
    RETURN QUERY SELECT l.backup_id, l.file_name, l.reason, l.action
                   FROM pgbackup._leftovers(storage, found, age, 'would remove') l
                  WHERE dry_run OR NOT l.removable AND l.what <> 'foreign';
    IF dry_run THEN
        RETURN;
    END IF;
    -- Uploads first: where the storage is a directory, the last object takes its folder along.
    FOREACH kind IN ARRAY '{uploads,objects}'::text[] LOOP
        doomed := ARRAY(SELECT l.file_name FROM pgbackup._leftovers(storage, found, age, 'removed') l
                         WHERE l.removable AND l.what = kind);
        FOR i IN 1 .. cardinality(doomed) BY folders_at_once LOOP
            batch := doomed[i : i + folders_at_once - 1];
            FOR leftover IN
                SELECT l.* FROM pgbackup._leftovers(storage, pgbackup._ask_janitor(storage, seconds,
                           CASE WHEN kind = 'objects' THEN batch END,
                           CASE WHEN kind = 'uploads' THEN batch END)->'found', age, 'removed') l LOOP
                IF leftover.removable AND leftover.what = 'objects' THEN
                    objects := objects + leftover.count;
                ELSIF leftover.removable THEN
                    uploads := uploads + leftover.count;
                END IF;
                RETURN QUERY SELECT leftover.backup_id, leftover.file_name, leftover.reason, leftover.action;
            END LOOP;
        END LOOP;
    END LOOP;
    RAISE NOTICE '%: removed % objects, % unfinished uploads', split_part(storage, '?', 1), objects, uploads;
END $$;
COMMENT ON FUNCTION pgbackup._cleanup_storage(text, boolean, interval) IS 'internal: removes what unfinished runs have left in a storage, if it is older than that';

CREATE FUNCTION pgbackup._cleanup_replaced(dry_run boolean)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keep constant interval := make_interval(secs => (SELECT setting::int FROM pg_settings WHERE name = 'pgbackup.keep_replaced'));
    kept pgbackup.restores;
BEGIN
    IF keep = interval '0' THEN
        RETURN;
    END IF;
    FOR kept IN SELECT r.* FROM pgbackup.restores r
                 WHERE r.kept_database IS NOT NULL AND r.finished_at < now() - keep
                   AND NOT EXISTS (SELECT FROM pgbackup.restores u WHERE u.status IN ('pending', 'in_progress')
                                      AND u.target_database = r.target_database)
                 ORDER BY r.id FOR UPDATE LOOP
        IF NOT dry_run THEN
            INSERT INTO pgbackup.removals (run_id, backup_id, target_database, kept_oid, reason)
            VALUES (kept.id, kept.backup_id, kept.kept_database, kept.kept_oid, 'replaced')
            ON CONFLICT (run_id) DO NOTHING;
        END IF;
        RETURN QUERY SELECT kept.backup_id, kept.kept_database::text,
                            format('database replaced by %s %s, longer ago than %s', kept.mode, kept.id, pgbackup._age_in_words(keep)),
                            CASE WHEN dry_run THEN 'would drop' ELSE 'is being dropped' END;
    END LOOP;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup._cleanup_replaced(boolean) IS
    'internal: has the databases dropped that restores have replaced, longer ago than pgbackup.keep_replaced';

CREATE FUNCTION pgbackup._cleanup_sides(dry_run boolean)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    ended pgbackup.restores;
BEGIN
    FOR ended IN SELECT r.* FROM pgbackup.restores r
                   JOIN pg_database d ON d.datname = pgbackup._name_beside(r.target_database, '__restore_' || r.id)
                  WHERE r.mode <> 'undo' AND r.status IN ('completed', 'failed', 'cancelled')
                  ORDER BY r.id FOR UPDATE OF r LOOP
        IF NOT dry_run THEN
            INSERT INTO pgbackup.removals (run_id, target_database, reason)
            VALUES (ended.id, ended.target_database, 'unfinished')
            ON CONFLICT (run_id) DO UPDATE SET not_before = clock_timestamp();
        END IF;
        RETURN QUERY SELECT ended.backup_id, pgbackup._name_beside(ended.target_database, '__restore_' || ended.id)::text,
                            format('database filled by restore %s, which has ended', ended.id),
                            CASE WHEN dry_run THEN 'would drop' ELSE 'is being dropped' END;
    END LOOP;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup._cleanup_sides(boolean) IS
    'internal: has the databases dropped that restores were filling and have left behind';

CREATE FUNCTION pgbackup.cleanup(dry_run boolean DEFAULT false)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    copies text;
    why text;
    what_to_do text;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit('clean up the storage');
    PERFORM pgbackup._check_flag('dry_run', dry_run);
    RETURN QUERY SELECT * FROM pgbackup._cleanup_replaced(dry_run);
    RETURN QUERY SELECT * FROM pgbackup._apply_retention(dry_run);
    RETURN QUERY SELECT * FROM pgbackup._cleanup_sides(dry_run);
    IF current_setting('pgbackup.storage') = '' THEN
        RAISE EXCEPTION 'no storage is set'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'There is nothing to clean up.',
                  HINT = 'ALTER SYSTEM SET pgbackup.storage = ''s3://bucket/prefix'' or ''file:///path''; then SELECT pg_reload_conf().';
    END IF;
    RETURN QUERY SELECT * FROM pgbackup._cleanup_storage(current_setting('pgbackup.storage'), dry_run, pgbackup._cleanup_age());
    FOR copies IN SELECT * FROM pgbackup._wanted_copies(current_setting('pgbackup.storage')) LOOP
        BEGIN
            RETURN QUERY SELECT * FROM pgbackup._cleanup_storage(copies, dry_run, pgbackup._cleanup_age());
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL, what_to_do = PG_EXCEPTION_HINT;
            RAISE WARNING '%', SQLERRM USING DETAIL = why, HINT = what_to_do;
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION pgbackup.cleanup(boolean) IS
    'applies retention (pgbackup.retention_plan() says why what is kept), drops the databases that restores have replaced longer ago than pgbackup.keep_replaced, and those that ended restores have left unfinished (file_name is then the database), and removes from pgbackup.storage and pgbackup.storage_copies what unfinished runs have left: unfinished uploads, and folders without a manifest, older than the longest allowed run (pgbackup.timeout and an hour, or seven days). With dry_run it only tells. Objects with names that pgbackup does not give stay';

--
-- Numbers about backups
--

CREATE FUNCTION pgbackup._is_covered(database name) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_database d, pgbackup.schedules s
                    WHERE d.datname = $1 AND d.datallowconn AND NOT pgbackup._is_beside(d.oid)
                      AND (s.name = 'default' OR s.enabled) AND d.datname::text IN (SELECT pgbackup._select_databases(s.databases)))
$$;
COMMENT ON FUNCTION pgbackup._is_covered(name) IS 'internal: whether a schedule, or pgbackup.databases, names this database';

CREATE FUNCTION pgbackup._next_backup(database name) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(pgbackup._next_start(s)) FROM pgbackup.schedules s
     WHERE s.enabled AND $1::text IN (SELECT pgbackup._select_databases(s.databases))
$$;
COMMENT ON FUNCTION pgbackup._next_backup(name) IS 'internal: when a schedule backs up this database next, null for never';

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
          FROM (SELECT b.database, split_part(s.storage, '?', 1) AS storage, sum(s.bytes) AS bytes
                  FROM pgbackup.backups b,
                       LATERAL (SELECT b.storage, b.file_size
                                UNION ALL
                                SELECT c.storage, c.file_size FROM pgbackup.copies c
                                 WHERE c.backup_id = b.id AND c.status = 'completed') AS s (storage, bytes)
                 WHERE b.status = 'completed' AND ($1 IS NULL OR b.database = $1)
                 GROUP BY b.database, split_part(s.storage, '?', 1)) AS p
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

--
-- Whether all is well. Reads the catalog alone, so it works when the launcher does not.
--

CREATE FUNCTION pgbackup._cluster_problems() RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'critical', 'the launcher does not run: no backup starts'
     WHERE pgbackup.launcher_pid() IS NULL AND NOT pg_is_in_recovery()
    UNION ALL
    SELECT 'critical', 'pgbackup.storage is not set: no backup is scheduled'
     WHERE coalesce(current_setting('pgbackup.storage', true), '') = ''
    UNION ALL
    -- Whoever deletes in the storage is stuck when three attempts at the same thing have failed.
    SELECT 'warning', format('%s folder%s or databases wait to be removed, which fails: %s', count(*), CASE WHEN count(*) > 1 THEN 's' END, min(r.message))
      FROM pgbackup.removals r WHERE r.attempts >= 3 HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._cluster_problems() IS 'internal: what is wrong for every database';

CREATE FUNCTION pgbackup._backup_problems(database name) RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH ended AS (
        SELECT b.*, row_number() OVER (ORDER BY b.id DESC) AS age
          FROM pgbackup.backups b
         WHERE b.database = $1 AND b.status NOT IN ('pending', 'in_progress', 'cancelled')),
    good AS (
        SELECT e.*, row_number() OVER (ORDER BY e.id DESC) AS rank FROM ended e WHERE e.status = 'completed'),
    limits AS (
        SELECT pgbackup._seconds_of('max_backup_age') AS backup_age, pgbackup._seconds_of('max_proof_age') AS proof_age)
    SELECT 'critical', 'there is no backup' WHERE NOT EXISTS (SELECT FROM good)
    UNION ALL
    SELECT 'critical', format('the newest backup is %s old, pgbackup.max_backup_age is %s',
                              pgbackup._roughly(now() - g.started_at), pgbackup._roughly(l.backup_age))
      FROM good g, limits l WHERE g.rank = 1 AND now() - g.started_at > l.backup_age
    UNION ALL
    -- From here: what its last runs tell.
    SELECT CASE WHEN count(*) >= 3 THEN 'critical' ELSE 'warning' END,
           CASE WHEN count(*) = 1 THEN format('the last backup failed: %s', max(f.message) FILTER (WHERE f.age = 1))
                ELSE format('the last %s backups failed: %s', count(*), max(f.message) FILTER (WHERE f.age = 1)) END
      FROM ended f
     WHERE f.status = 'failed' AND f.id > coalesce((SELECT max(o.id) FROM ended o WHERE o.status <> 'failed'), 0)
    HAVING count(*) > 0
    UNION ALL
    SELECT 'critical', format('the storage cannot be reached: %s', e.message)
      FROM ended e WHERE e.age = 1 AND e.status = 'failed' AND e.sqlstate LIKE '08%'
    UNION ALL
    SELECT 'warning', format('the newest backup has %s bytes, half of the %s before it had %s or more',
                             g.file_size, o.count, o.middle::bigint)
      FROM good g,
           (SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY p.file_size) AS middle
              FROM good p WHERE p.rank BETWEEN 2 AND 11) AS o
     WHERE g.rank = 1 AND o.count >= 3
       AND g.file_size < o.middle * current_setting('pgbackup.min_size_ratio')::float8
    UNION ALL
    SELECT 'warning', CASE WHEN v.at IS NULL THEN 'no backup has been proved good by pgbackup.verify()'
                           ELSE format('the last proof of a backup is %s old, pgbackup.max_proof_age is %s',
                                       pgbackup._roughly(now() - v.at), pgbackup._roughly(l.proof_age)) END
      FROM limits l, (SELECT max(g.verified_at) AS at FROM good g) AS v
     WHERE l.proof_age IS NOT NULL AND coalesce(now() - v.at > l.proof_age, true) AND EXISTS (SELECT FROM good)
    UNION ALL
    SELECT 'warning', format('the copy of backup %s in %s is missing: %s', c.backup_id, split_part(c.storage, '?', 1), c.message)
      FROM good g JOIN pgbackup.copies c ON c.backup_id = g.id
     WHERE g.rank = 1 AND c.status = 'failed'
$$;
COMMENT ON FUNCTION pgbackup._backup_problems(name) IS 'internal: what is wrong with the backups of a database';

CREATE FUNCTION pgbackup._snapshot_problems(database name) RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'warning', format('backup %s holds back vacuum by %s transactions, pgbackup.max_xmin_age is %s', p.id,
                             max(age(a.backend_xmin)), current_setting('pgbackup.max_xmin_age'))
      FROM pgbackup._progress() AS p
      JOIN pg_stat_activity a ON a.application_name = format('pgbackup backup %s', p.id)
     WHERE p.database = $1
     GROUP BY p.id
    HAVING max(age(a.backend_xmin)) > current_setting('pgbackup.max_xmin_age')::int
$$;
COMMENT ON FUNCTION pgbackup._snapshot_problems(name) IS 'internal: a running backup of a database that holds back vacuum';

CREATE FUNCTION pgbackup.health()
    RETURNS TABLE (database name, status text, reasons text[], last_backup timestamptz, last_backup_id bigint,
                   running boolean, next_backup timestamptz)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH everywhere AS MATERIALIZED (SELECT * FROM pgbackup._cluster_problems()),
    problem AS (
        SELECT d.datname, e.status, e.reason, 1 AS rank FROM pg_database d, everywhere e
        UNION ALL
        SELECT d.datname, p.status, p.reason, 2 FROM pg_database d, pgbackup._backup_problems(d.datname) AS p
         WHERE pgbackup._is_covered(d.datname)
        UNION ALL
        SELECT d.datname, p.status, p.reason, 3 FROM pg_database d, pgbackup._snapshot_problems(d.datname) AS p)
    SELECT d.datname,
           CASE WHEN bool_or(p.status = 'critical') THEN 'critical' WHEN bool_or(p.status = 'warning') THEN 'warning'
                ELSE 'healthy' END,
           coalesce(array_agg(p.reason ORDER BY p.status, p.rank) FILTER (WHERE p.reason IS NOT NULL), '{}'),
           b.started_at, b.id,
           EXISTS (SELECT FROM pgbackup.backups r WHERE r.database = d.datname AND r.status = 'in_progress'),
           pgbackup._next_backup(d.datname)
      FROM pg_database d
      LEFT JOIN problem p ON p.datname = d.datname
      LEFT JOIN LATERAL (SELECT l.id, l.started_at FROM pgbackup.backups l
                          WHERE l.database = d.datname AND l.status = 'completed' ORDER BY l.id DESC LIMIT 1) AS b ON true
     WHERE pgbackup._is_covered(d.datname)
     GROUP BY d.datname, b.id, b.started_at
     ORDER BY d.datname
$$;
COMMENT ON FUNCTION pgbackup.health() IS
    'one row per database that the schedule covers: status healthy, warning or critical and, worst first, the reasons; last_backup is the time that the newest backup shows the database at. Reads the catalog alone, so it works when the launcher does not';

--
-- Numbers for Prometheus. The names follow https://prometheus.io/docs/practices/naming/.
--

CREATE FUNCTION pgbackup._metrics()
    RETURNS TABLE (name text, type text, help text, labels jsonb, value double precision)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH health AS MATERIALIZED (SELECT * FROM pgbackup.health()),
    ended AS MATERIALIZED (SELECT * FROM pgbackup.stats()),
    newest AS MATERIALIZED (
        SELECT DISTINCT ON (b.database) b.database, b.started_at, b.duration, b.file_size, b.raw_size, b.database_size,
               b.verified_at
          FROM pgbackup.backups b WHERE b.status = 'completed' ORDER BY b.database, b.id DESC),
    proved AS (
        SELECT b.database, max(b.verified_at) AS at FROM pgbackup.backups b
         WHERE b.status = 'completed' AND b.verified_at IS NOT NULL GROUP BY b.database),
    metric (rank, name, type, help, database, label, value) AS (
        SELECT 1, 'pgbackup_launcher_up', 'gauge', 'Whether the launcher runs.', NULL::name, NULL::jsonb,
               CASE WHEN pgbackup.launcher_pid() IS NULL THEN 0 ELSE 1 END::double precision
        UNION ALL
        SELECT 2, 'pgbackup_runs_in_progress', 'gauge', 'Runs that have begun and not ended.', NULL, jsonb_build_object('kind', k.kind),
               (SELECT count(*) FROM pgbackup._progress() AS p WHERE p.kind = k.kind)
          FROM unnest('{backup,restore,copy}'::text[]) AS k (kind)
        UNION ALL
        SELECT 3, 'pgbackup_health_status', 'gauge', 'What pgbackup.health() says: 0 healthy, 1 warning, 2 critical.', h.database, NULL,
               array_position('{healthy,warning,critical}', h.status) - 1 FROM health h
        UNION ALL
        SELECT 4, 'pgbackup_last_success_timestamp_seconds', 'gauge', 'When the newest backup began.', n.database, NULL,
               extract(epoch FROM n.started_at) FROM newest n
        UNION ALL
        SELECT 5, 'pgbackup_last_duration_seconds', 'gauge', 'How long the newest backup took.', n.database, NULL,
               extract(epoch FROM n.duration) FROM newest n
        UNION ALL
        SELECT 6, 'pgbackup_last_stored_bytes', 'gauge', 'What the newest backup takes in its storage.', n.database, NULL, n.file_size FROM newest n
        UNION ALL
        SELECT 7, 'pgbackup_last_dumped_bytes', 'gauge', 'What pg_dump wrote for the newest backup.', n.database, NULL, n.raw_size FROM newest n
        UNION ALL
        SELECT 8, 'pgbackup_last_database_bytes', 'gauge', 'Size of the database at the newest backup.', n.database, NULL, n.database_size FROM newest n
        UNION ALL
        SELECT 9, 'pgbackup_last_verified_timestamp_seconds', 'gauge', 'When a backup was last proved good.', p.database, NULL,
               extract(epoch FROM p.at) FROM proved p
        UNION ALL
        SELECT 10, 'pgbackup_runs', 'gauge', 'Backups in the catalog by how they ended.', e.database, jsonb_build_object('status', c.status), c.count
          FROM ended e, LATERAL (VALUES ('completed', e.completed), ('failed', e.failed), ('cancelled', e.cancelled),
                                        ('expired', e.expired)) AS c (status, count)
        UNION ALL
        SELECT 11, 'pgbackup_stored_bytes', 'gauge', 'What all backups take.', e.database, jsonb_build_object('storage', u.key), u.value::double precision
          FROM ended e, jsonb_each_text(e.storage_used) AS u
        UNION ALL
        SELECT 12, 'pgbackup_next_backup_timestamp_seconds', 'gauge', 'When the schedule is due next.', NULL, NULL,
               extract(epoch FROM s.next) FROM (SELECT min(pgbackup._next_start(n)) FROM pgbackup.schedules n) AS s (next) WHERE s.next IS NOT NULL)
    SELECT m.name, m.type, m.help,
           jsonb_strip_nulls(jsonb_build_object('database', m.database)) || coalesce(m.label, '{}'), m.value
      FROM metric m WHERE m.value IS NOT NULL
     ORDER BY m.rank, m.database, m.label
$$;
COMMENT ON FUNCTION pgbackup._metrics() IS 'internal: the rows of pgbackup.metrics';

CREATE VIEW pgbackup.metrics AS SELECT * FROM pgbackup._metrics();
COMMENT ON VIEW pgbackup.metrics IS 'numbers for Prometheus: name, type, help, labels and value of each series';

CREATE FUNCTION pgbackup.metrics_text() RETURNS text
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT m.n, m.name, m.type, m.help,
               m.name || coalesce('{' || l.list || '}', '') || ' ' || m.value AS text,
               row_number() OVER (PARTITION BY m.name ORDER BY m.n) = 1 AS first
          FROM pgbackup._metrics() WITH ORDINALITY AS m (name, type, help, labels, value, n),
               LATERAL (SELECT string_agg(format('%s="%s"', e.key,
                                 replace(replace(replace(e.value, '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY e.key) AS list
                          FROM jsonb_each_text(m.labels) AS e) AS l)
    SELECT string_agg(CASE WHEN first THEN format(E'# HELP %s %s\n# TYPE %s %s\n', name, help, name, type) ELSE '' END
                      || text || E'\n', '' ORDER BY n) FROM line
$$;
COMMENT ON FUNCTION pgbackup.metrics_text() IS
    'pgbackup.metrics in Prometheus'' text format (version 0.0.4), for the textfile collector of node_exporter or for PostgREST';

--
-- Telling others
--

CREATE FUNCTION pgbackup._notify() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run jsonb := to_jsonb(NEW);
BEGIN
    -- A payload has less than 8000 bytes: names and numbers, and the beginning of the message.
    PERFORM pg_notify('pgbackup', jsonb_strip_nulls(jsonb_build_object(
        'kind', TG_ARGV[0], 'id', NEW.id, 'status', NEW.status, 'database', run->'database',
        'backup_id', run->'backup_id', 'target_database', run->'target_database', 'mode', run->'mode',
        'schedule', run->'schedule', 'label', run->'label', 'storage', split_part(run->>'storage', '?', 1),
        'file_size', run->'file_size', 'started_at', run->'started_at', 'finished_at', run->'finished_at',
        'message', left(run->>'message', 1000)))::text);
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

--
-- A page to look at: HTML with everything in it. Each part is a function that gives its piece of HTML;
-- every text from outside goes through _html().
--

CREATE DOMAIN pgbackup."text/html" AS text;
COMMENT ON DOMAIN pgbackup."text/html" IS 'HTML; PostgREST serves it under this media type';

CREATE FUNCTION pgbackup._html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'), '')
$$;
COMMENT ON FUNCTION pgbackup._html(text) IS 'internal: a text for HTML, between tags or quotes';

CREATE FUNCTION pgbackup._html_time(value timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(format('<time datetime="%s">%s</time>', to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                           to_char($1, 'YYYY-MM-DD HH24:MI')), '–')
$$;
COMMENT ON FUNCTION pgbackup._html_time(timestamptz) IS 'internal: a time, in the session''s time zone';

CREATE FUNCTION pgbackup._html_line(title text, first text, last text, points double precision[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- 100 wide, 30 high, from zero to the greatest value.
    SELECT CASE WHEN cardinality(points) < 2 THEN '' ELSE format(
               '<figure><svg role="img" aria-label="%s: %s to %s" viewBox="0 0 100 30" preserveAspectRatio="none">'
               '<polygon points="0,30 %s 100,30"/><polyline points="%s"/></svg>'
               '<figcaption>%s <b>%s</b></figcaption></figure>',
               pgbackup._html($1), pgbackup._html($2), pgbackup._html($3), l.path, l.path, pgbackup._html($1), pgbackup._html($3)) END
      FROM (SELECT string_agg(format('%s,%s', round((100.0 * (n - 1) / greatest(cardinality(points) - 1, 1))::numeric, 1),
                                     round((29 - 27 * p / nullif(m.most, 0))::numeric, 1)), ' ' ORDER BY n) AS path
              FROM unnest(points) WITH ORDINALITY AS u (p, n),
                   (SELECT greatest(max(v), 1e-9) AS most FROM unnest(points) AS v) AS m) AS l
$$;
COMMENT ON FUNCTION pgbackup._html_line(text, text, text, double precision[]) IS 'internal: a small line chart with its title and last value';

CREATE FUNCTION pgbackup._html_trends(database name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH run AS (
        SELECT b.file_size, extract(epoch FROM b.duration)::double precision AS seconds, b.id
          FROM pgbackup.backups b
         WHERE b.database = $1 AND b.status IN ('completed', 'expired') AND b.file_size IS NOT NULL
         ORDER BY b.id DESC LIMIT 60),
    list AS (
        SELECT array_agg(file_size::double precision ORDER BY id) AS sizes, array_agg(seconds ORDER BY id) AS times FROM run)
    SELECT coalesce(
        pgbackup._html_line('Size', pg_size_pretty(sizes[1]::bigint), pg_size_pretty(sizes[cardinality(sizes)]::bigint), sizes)
        || pgbackup._html_line('Duration', round(times[1]::numeric, 1) || ' s', round(times[cardinality(times)]::numeric, 1) || ' s', times), '')
      FROM list
$$;
COMMENT ON FUNCTION pgbackup._html_trends(name) IS 'internal: size and duration of the last sixty backups of a database';

CREATE FUNCTION pgbackup._html_calendar(database name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH day AS (
        SELECT d::date AS day, count(b.id) FILTER (WHERE b.status IN ('completed', 'expired')) AS good,
               count(b.id) FILTER (WHERE b.status = 'failed') AS bad
          FROM generate_series(current_date - 34, current_date, interval '1 day') AS d
          LEFT JOIN pgbackup.backups b ON b.database = $1 AND b.created_at >= d AND b.created_at < d + interval '1 day'
         GROUP BY d)
    SELECT '<ol class="days" aria-label="the last 35 days">' || string_agg(format('<li class="%s" title="%s: %s">%s</li>',
               CASE WHEN bad > 0 AND good > 0 THEN 'mixed' WHEN bad > 0 THEN 'bad' WHEN good > 0 THEN 'good' ELSE 'none' END,
               day, w.words, format('<span>%s: %s</span>', day, w.words)), '' ORDER BY day) || '</ol>'
      FROM day, LATERAL (SELECT CASE WHEN good + bad = 0 THEN 'no backup'
                                     ELSE concat_ws(', ', nullif(good, 0) || ' completed', nullif(bad, 0) || ' failed') END) AS w (words)
$$;
COMMENT ON FUNCTION pgbackup._html_calendar(name) IS 'internal: which of the last 35 days had backups of a database, and failures';

CREATE FUNCTION pgbackup._html_databases() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format(
               '<article class="%s"><h3>%s <span class="status">%s</span></h3>%s'
               '<dl><div><dt>Newest backup</dt><dd>%s</dd></div><div><dt>Next</dt><dd>%s</dd></div><div><dt>Stored</dt><dd>%s</dd></div>'
               '<div><dt>Success</dt><dd>%s</dd></div></dl>%s%s</article>',
               h.status, pgbackup._html(h.database), CASE WHEN h.running THEN h.status || ', running' ELSE h.status END,
               coalesce('<ul>' || (SELECT string_agg('<li>' || pgbackup._html(r) || '</li>', '' ORDER BY n)
                                     FROM unnest(h.reasons) WITH ORDINALITY AS u (r, n)) || '</ul>', ''),
               pgbackup._html_time(h.last_backup), pgbackup._html_time(h.next_backup),
               coalesce(pg_size_pretty(s.stored_bytes), '–'), coalesce(s.success_rate || ' %', '–'),
               pgbackup._html_trends(h.database), pgbackup._html_calendar(h.database)),
               '' ORDER BY array_position('{critical,warning,healthy}', h.status), h.database),
               '<p>No database is covered by pgbackup.databases.</p>')
      FROM pgbackup.health() AS h LEFT JOIN pgbackup.stats() AS s ON s.database = h.database
$$;
COMMENT ON FUNCTION pgbackup._html_databases() IS 'internal: one article per database, the worst first';

CREATE FUNCTION pgbackup._html_running() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '<section><h2>Running</h2><table><thead><tr><th>Run</th><th>Database</th><th>Phase</th><th>Done</th><th>Since</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s %s</td><td>%s</td><td>%s</td><td><progress max="100" value="%s" aria-label="%s of run %s"></progress> %s</td><td>%s</td></tr>',
                  p.kind, p.id, pgbackup._html(p.database), pgbackup._html(p.phase), coalesce(p.percent, 0), 'percent', p.id,
                  coalesce(p.percent || ' %', pg_size_pretty(p.raw_bytes)), pgbackup._html_time(p.started_at)), '' ORDER BY p.id)
           || '</tbody></table></section>'
      FROM pgbackup.progress p HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_running() IS 'internal: what runs now, null for nothing';

CREATE FUNCTION pgbackup._html_storage() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH used AS (
        SELECT u.key AS storage, sum(u.value::numeric) AS bytes, count(*) AS databases
          FROM pgbackup.stats() AS s, jsonb_each_text(s.storage_used) AS u GROUP BY u.key)
    SELECT '<section><h2>Storage</h2><table><thead><tr><th>Place</th><th>Databases</th><th>Used</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s</td><td>%s</td><td>%s</td></tr>', pgbackup._html(storage), databases,
                                pg_size_pretty(bytes)), '' ORDER BY bytes DESC) || '</tbody></table></section>'
      FROM used HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_storage() IS 'internal: what the backups take where, null for nothing';

CREATE FUNCTION pgbackup._html_errors() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH failed AS (
        SELECT 'backup' AS kind, b.id, b.database, b.finished_at, b.message, b.hint FROM pgbackup.backups b WHERE b.status = 'failed'
        UNION ALL
        SELECT r.mode, r.id, r.target_database, r.finished_at, r.message, r.hint FROM pgbackup.restores r WHERE r.status = 'failed'
        ORDER BY id DESC LIMIT 10)
    SELECT '<section><h2>Last errors</h2><table><thead><tr><th>Run</th><th>Database</th><th>When</th><th>What</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s %s</td><td>%s</td><td>%s</td><td>%s%s</td></tr>', kind, id, pgbackup._html(database),
                  pgbackup._html_time(finished_at), pgbackup._html(message), '<br><small>' || pgbackup._html(hint) || '</small>'), '' ORDER BY id DESC)
           || '</tbody></table></section>'
      FROM failed HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_errors() IS 'internal: the last ten failures, null for none';

CREATE FUNCTION pgbackup._html_style() RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT $css$
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4;
  --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --none: #e3e7eb; --chart: #0969da; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #9198a1; --line: #30363d;
  --good: #3fb950; --warn: #d29922; --bad: #ff7b72; --none: #262c36; --chart: #58a6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin-bottom: 1rem; }
header p { margin: 0; color: var(--soft); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; display: flex; justify-content: space-between; gap: .5rem; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
article { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--good); border-radius: 6px; padding: 1rem;
  min-width: 0; }
article.warning { border-left-color: var(--warn); } article.critical { border-left-color: var(--bad); }
.status { color: var(--good); white-space: nowrap; } .warning .status { color: var(--warn); } .critical .status { color: var(--bad); }
article ul { margin: 0 0 .5rem; padding-left: 1.1rem; font-size: .9rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: 0 0 .75rem; }
dt, figcaption, small { color: var(--soft); font-size: .85rem; } dd { margin: 0; }
figure { margin: 0 0 .5rem; } svg { width: 100%; height: 3rem; display: block; }
polyline { fill: none; stroke: var(--chart); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
polygon { fill: var(--chart); opacity: .12; }
.days { list-style: none; display: grid; grid-template-columns: repeat(35, 1fr); gap: 2px; margin: 0; padding: 0; }
.days li { height: 1.1rem; border-radius: 2px; background: var(--none); }
.days .good { background: var(--good); } .days .bad { background: var(--bad); }
.days .mixed { background: linear-gradient(var(--good) 50%, var(--bad) 50%); }
.days span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.days li { position: relative; }
section { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .9rem; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; }
progress { width: 6rem; accent-color: var(--chart); }
$css$
$$;
COMMENT ON FUNCTION pgbackup._html_style() IS 'internal: how the page looks';

CREATE FUNCTION pgbackup.dashboard() RETURNS pgbackup."text/html"
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:">'
        '<link rel="icon" href="data:,"><title>Backups of ', pgbackup._html(c.name), '</title><style>', pgbackup._html_style(),
        '</style></head><body><header><h1>Backups of ', pgbackup._html(c.name), '</h1><p>', pgbackup._html(c.environment),
        '</p><p>PostgreSQL ', pgbackup._html(split_part(current_setting('server_version'), ' ', 1)), '</p><p>as of ',
        pgbackup._html_time(now()), ' ', pgbackup._html(current_setting('TimeZone')), '</p></header><main>',
        pgbackup._html_running(), '<h2>Databases</h2><div class="cards">', pgbackup._html_databases(), '</div>',
        pgbackup._html_errors(), pgbackup._html_storage(), '</main></body></html>')
      FROM (SELECT coalesce(nullif(current_setting('pgbackup.cluster_name', true), ''), nullif(current_setting('cluster_name'), ''),
                            'this cluster') AS name,
                   current_setting('pgbackup.environment', true) AS environment) AS c
$$;
COMMENT ON FUNCTION pgbackup.dashboard() IS
    'a page of HTML that needs nothing else: health of each database, sizes, durations and the last days, what runs, storage and the last errors. psql -qAtXc ''select pgbackup.dashboard()'' > page.html writes it to a file';

--
-- Who may do what: three levels, each with all of the one before.
--

CREATE FUNCTION pgbackup._level_grants() RETURNS TABLE (level text, kind text, object text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH named (level, name) AS (
        SELECT 'viewer', unnest('{list,get,latest,wait,stats,health,launcher_pid,schedule_status,retention_plan,dashboard,metrics_text,_metrics,_progress,_run_state,_cron_words}'::text[])
        UNION ALL
        SELECT 'operator', unnest('{create,run,verify,cancel,pin,check,contents,schedule,unschedule}'::text[])
        UNION ALL
        SELECT 'admin', unnest('{restore,run_restore,undo_restore,delete,copy,presign,cleanup}'::text[]))
    SELECT n.level, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text
      FROM named n JOIN pg_proc p ON p.proname = n.name AND p.pronamespace = 'pgbackup'::regnamespace
    UNION ALL
    SELECT 'viewer', 'TABLE', c.oid::regclass::text
      FROM pg_class c WHERE c.relnamespace = 'pgbackup'::regnamespace AND c.relkind IN ('r', 'v')
       AND c.relname NOT LIKE '\_%'
$$;
COMMENT ON FUNCTION pgbackup._level_grants() IS 'internal: what each level adds to the one before';

CREATE FUNCTION pgbackup.grant_access(role name, level text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    levels constant text[] := '{viewer,operator,admin}';
    given record;
BEGIN
    PERFORM pgbackup._require_superuser('grant access to pgbackup');
    PERFORM pgbackup._check_choice('level', level, levels || '{none}');
    IF role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
        RAISE EXCEPTION 'role "%" does not exist', role
            USING ERRCODE = 'undefined_object', HINT = 'CREATE ROLE makes it.';
    END IF;
    -- From a higher level to a lower one, too.
    EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA pgbackup FROM %I', role);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA pgbackup FROM %I', role);
    EXECUTE format('REVOKE ALL ON SCHEMA pgbackup FROM %I', role);
    IF level = 'none' THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA pgbackup TO %I', role);
    FOR given IN SELECT g.* FROM pgbackup._level_grants() g
                  WHERE array_position(levels, g.level) <= array_position(levels, $2) LOOP
        EXECUTE format('GRANT %s ON %s %s TO %I', CASE given.kind WHEN 'TABLE' THEN 'SELECT' ELSE 'EXECUTE' END,
                       given.kind, given.object, role);
    END LOOP;
END $$;
COMMENT ON FUNCTION pgbackup.grant_access(name, text) IS
    'gives a role a level: viewer (reads the catalog, progress, statistics, health and the page), operator (also starts, verifies, cancels and pins backups and schedules them), admin (also restores, deletes, copies to another storage and makes URLs of backups), or none. Replaces the level it had. An admin can read and write every database, as a superuser can';

--
-- Taking over what lies in a storage (src/pg/sql_import.cpp)
--

CREATE FUNCTION pgbackup._ask_inventory(storage text, folders text[]) RETURNS jsonb
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_ask_inventory';
COMMENT ON FUNCTION pgbackup._ask_inventory(text, text[]) IS
    'internal: has an agent list the folders with a manifest or, when it is given folders, read their manifests';

CREATE FUNCTION pgbackup._unknown_folders(storage text, folders jsonb) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT f.name FROM jsonb_array_elements_text(folders) WITH ORDINALITY AS f (name, n)
                  WHERE NOT EXISTS (SELECT FROM pgbackup.backups b
                                     WHERE b.file_name = f.name AND pgbackup._is_same_storage(b.storage, $1))
                    AND NOT EXISTS (SELECT FROM pgbackup.copies c JOIN pgbackup.backups b ON b.id = c.backup_id
                                     WHERE b.file_name = f.name AND pgbackup._is_same_storage(c.storage, $1))
                  ORDER BY f.n)
$$;
COMMENT ON FUNCTION pgbackup._unknown_folders(text, jsonb) IS
    'internal: those of the folders in a storage that are neither a known backup''s nor a copy of one';

CREATE FUNCTION pgbackup._free_run_id(wanted bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- From here on ids are the command line's, which the sequence never reaches.
    first_foreign constant bigint := 1000000000000;
    last_used bigint;
BEGIN
    IF wanted IS NULL OR wanted < 1
       OR EXISTS (SELECT FROM pgbackup.backups b WHERE b.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.restores r WHERE r.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.copies c WHERE c.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.removals m WHERE m.run_id = wanted) THEN
        RETURN nextval('pgbackup.run_id');
    END IF;
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_used FROM pgbackup.run_id s;
    IF wanted > last_used AND wanted < first_foreign THEN
        PERFORM setval('pgbackup.run_id', wanted);
    END IF;
    RETURN wanted;
END $$;
COMMENT ON FUNCTION pgbackup._free_run_id(bigint) IS
    'internal: this id, which no later run will get, or another one when a run has it already';

CREATE FUNCTION pgbackup._import_backup(storage text, entry jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    about constant jsonb := entry->'manifest'->'backup';
    origin constant jsonb := entry->'manifest'->'cluster';
BEGIN
    INSERT INTO pgbackup.backups (id, database, file_name, s3_url, s3_region, s3_bucket, storage,
        file_size, raw_size, database_size, backup_type, schedule, label, format, status, checksum,
        created_by, created_at, started_at, finished_at, server_version, system_identifier, pinned, options, manifest)
    VALUES (pgbackup._free_run_id((about->>'id')::bigint), about->>'database', entry->>'file_name',
        CASE WHEN storage LIKE 's3://%'
             THEN rtrim(split_part(storage, '?', 1), '/') || '/' || (entry->>'file_name') END,
        CASE WHEN storage LIKE 's3://%'
             THEN nullif(coalesce(substring(storage FROM '[?&]region=([^&]*)'), current_setting('pgbackup.s3_region')), '') END,
        substring(storage FROM '^s3://([^/?]+)'), storage,
        (entry->>'file_size')::bigint, (entry->'manifest'->'totals'->>'raw_size')::bigint,
        (entry->'manifest'->'totals'->>'database_size')::bigint,
        CASE about->>'backup_type' WHEN 'scheduled' THEN 'scheduled' ELSE 'manual' END,
        about->>'schedule', about->>'label', about->>'format', 'completed', entry->>'checksum',
        coalesce(about->>'created_by', ''),
        coalesce(nullif(about->>'created_at', ''), about->>'started_at')::timestamptz,
        (about->>'started_at')::timestamptz, (about->>'finished_at')::timestamptz,
        origin->>'server_version', origin->>'system_identifier',
        -- What another cluster has made is that one's to remove.
        origin->>'name' IS DISTINCT FROM pgbackup._cluster_name(),
        jsonb_strip_nulls(jsonb_build_object('content', about->'content', 'format', about->'format',
            'compression', about->'compression',
            'schemas', nullif(about->'schemas', '[]'), 'tables', nullif(about->'tables', '[]'),
            'exclude_tables', nullif(about->'exclude_tables', '[]'),
            'exclude_table_data', nullif(about->'exclude_table_data', '[]'))),
        entry->'manifest');
END $$;
COMMENT ON FUNCTION pgbackup._import_backup(text, jsonb) IS 'internal: the row of a backup in a storage, from its manifest';

CREATE FUNCTION pgbackup.import(storage text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    manifests_at_once constant int := 50;  -- they come in one answer
    place constant text := coalesce(storage, current_setting('pgbackup.storage', true));
    answer jsonb;
    folders text[];
    imported bigint := 0;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._require_superuser('import backups');
    PERFORM pgbackup._audit(format('import backups from %s', split_part(place, '?', 1)));
    IF coalesce(place, '') = '' OR pgbackup._storage_error(place) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid storage'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = coalesce(pgbackup._storage_error(nullif(place, '')), 'None is named, and pgbackup.storage is empty.'),
                  HINT = 'Use file:///absolute/path or s3://bucket/prefix.';
    END IF;
    answer := pgbackup._ask_inventory(place, NULL)->'folders';
    folders := pgbackup._unknown_folders(place, answer);
    FOR i IN 1 .. cardinality(folders) BY manifests_at_once LOOP
        DECLARE
            found jsonb := pgbackup._ask_inventory(place, folders[i : i + manifests_at_once - 1]);
            entry jsonb;
        BEGIN
            -- Oldest first, so that new ids have the order of time.
            FOR entry IN SELECT e.value FROM jsonb_array_elements(found->'backups') WITH ORDINALITY AS e (value, n)
                          ORDER BY e.n DESC LOOP
                PERFORM pgbackup._import_backup(place, entry);
                imported := imported + 1;
            END LOOP;
            FOR entry IN SELECT e.value FROM jsonb_array_elements(found->'unreadable') AS e (value) LOOP
                RAISE WARNING '%', entry->>'message'
                    USING HINT = 'It was left out; the other backups are not concerned.';
            END LOOP;
        END;
    END LOOP;
    RAISE NOTICE '%: % backups imported, % were known', split_part(place, '?', 1), imported,
        jsonb_array_length(answer) - cardinality(folders);
    RETURN imported;
END $$;
COMMENT ON FUNCTION pgbackup.import(text) IS
    'enters the backups that lie in a storage (pgbackup.storage unless one is named) into the catalog, from their manifests, and returns how many; those that it has already stay as they are. Ids stay, too, unless another run has them. Backups of other clusters come pinned';

--
-- Nothing is for everyone
--

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgbackup FROM PUBLIC;
REVOKE ALL ON SCHEMA pgbackup FROM PUBLIC;

SELECT pgbackup._wake_launcher();

DO $$
BEGIN
    IF NOT pgbackup._is_preloaded() THEN
        RAISE WARNING 'pgbackup is installed but not loaded by this server'
            USING HINT = 'Add to postgresql.conf: shared_preload_libraries = ''pgbackup'' and restart the server.';
    ELSIF current_setting('pgbackup.home_database') <> current_database() THEN
        RAISE WARNING 'pgbackup works from database "%", not from this one', current_setting('pgbackup.home_database')
            USING HINT = 'Set pgbackup.home_database in postgresql.conf and restart the server, or create the extension there.';
    END IF;
END $$;
