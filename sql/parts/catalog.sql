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
    duration       interval GENERATED ALWAYS AS (CASE WHEN finished_at < started_at THEN interval '0' ELSE finished_at - started_at END) STORED,
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
    database_oid   oid,
    instance       text,
    run_key        text,
    environment    text,
    clock_skew     interval,
    credentials_expire_at timestamptz,
    options        jsonb NOT NULL DEFAULT '{}',
    manifest       jsonb
);
CREATE INDEX backups_open ON pgbackup.backups (status, id) WHERE status IN ('pending', 'in_progress');
CREATE INDEX backups_database ON pgbackup.backups (database, id);
CREATE INDEX backups_created ON pgbackup.backups (database, created_at);
CREATE INDEX backups_completed ON pgbackup.backups (database, id) INCLUDE (file_size) WHERE status = 'completed';
CREATE INDEX backups_of_oids ON pgbackup.backups (database, database_oid) WHERE status = 'completed' AND database_oid IS NOT NULL;
CREATE INDEX backups_expired ON pgbackup.backups (database, finished_at) WHERE status = 'expired';
CREATE INDEX backups_to_forget ON pgbackup.backups (expired_at) WHERE status = 'expired';
CREATE INDEX backups_failed ON pgbackup.backups (id) WHERE status = 'failed';
-- Names of folders may be longer than a B-tree takes.
CREATE INDEX backups_folder ON pgbackup.backups USING hash (file_name) WHERE status = 'completed';
CREATE INDEX backups_of_schedules ON pgbackup.backups (database, schedule) WHERE status = 'completed' AND schedule IS NOT NULL;
CREATE INDEX backups_verified ON pgbackup.backups (database, verified_at) WHERE status = 'completed' AND verified_at IS NOT NULL;
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
COMMENT ON COLUMN pgbackup.backups.duration IS 'finished_at - started_at, and 0 when the clock was set back meanwhile';
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
COMMENT ON COLUMN pgbackup.backups.database_oid IS 'OID of the database that was dumped; retention leaves backups of former databases of the same name alone. null for backups without a record of that';
COMMENT ON COLUMN pgbackup.backups.instance IS 'server of it that made it: {instance} in pgbackup.name_template; null for backups without a record of that';
COMMENT ON COLUMN pgbackup.backups.run_key IS 'random key of the run, by which it owns its folder in the storage';
COMMENT ON COLUMN pgbackup.backups.environment IS 'pgbackup.environment where it was made; null for none';
COMMENT ON COLUMN pgbackup.backups.clock_skew IS 'how far the clock of the storage was ahead of this server''s; null when the storage has none of its own, or was not asked';
COMMENT ON COLUMN pgbackup.backups.credentials_expire_at IS 'when the credentials for the storage expire that nothing renews by itself; null for others';
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
    duration        interval GENERATED ALWAYS AS (CASE WHEN finished_at < started_at THEN interval '0' ELSE finished_at - started_at END) STORED,
    staging_database name,
    kept_database   name,
    kept_oid        oid,
    safety_backup_id bigint,
    options         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX restores_open ON pgbackup.restores (status, id) WHERE status IN ('pending', 'in_progress');
CREATE INDEX restores_database ON pgbackup.restores (database, mode, id);
CREATE INDEX restores_failed ON pgbackup.restores (id) WHERE status = 'failed';
CREATE INDEX restores_kept ON pgbackup.restores (kept_oid) WHERE kept_oid IS NOT NULL;
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
COMMENT ON COLUMN pgbackup.restores.duration IS 'finished_at - started_at, and 0 when the clock was set back meanwhile';
COMMENT ON COLUMN pgbackup.restores.staging_database IS 'database that is filled before it takes the name target_database, or that a verification fills and drops; null when there is none or it has the name';
COMMENT ON COLUMN pgbackup.restores.kept_database IS 'the database that was replaced is kept under this name; null when nothing is';
COMMENT ON COLUMN pgbackup.restores.kept_oid IS 'OID of that database';
COMMENT ON COLUMN pgbackup.restores.safety_backup_id IS 'backup of the target that a replacing restore waits for; null when there was a recent one';
COMMENT ON COLUMN pgbackup.restores.options IS 'options of the run';

CREATE TABLE pgbackup.restore_errors (
    restore_id      bigint NOT NULL REFERENCES pgbackup.restores (id) ON DELETE CASCADE,
    position        int NOT NULL,
    entry           text NOT NULL,
    message         text NOT NULL,
    detail          text,
    PRIMARY KEY (restore_id, position)
);

COMMENT ON TABLE pgbackup.restore_errors IS 'what the server refused in restores with on_error => ''continue'', the first 1000 of each; without values of rows';
COMMENT ON COLUMN pgbackup.restore_errors.restore_id IS 'the run in pgbackup.restores';
COMMENT ON COLUMN pgbackup.restore_errors.position IS 'counts the errors of the run, from 1';
COMMENT ON COLUMN pgbackup.restore_errors.entry IS 'what was to be restored: kind, name';
COMMENT ON COLUMN pgbackup.restore_errors.message IS 'the server''s error';
COMMENT ON COLUMN pgbackup.restore_errors.detail IS 'its further lines, null when there are none';

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
CREATE INDEX copies_open ON pgbackup.copies (backup_id) WHERE status = 'in_progress';
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
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, requested_by, requested_at)  -- without a key, a publication of all tables would refuse deletions
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
    run_key    text,
    target_database name,
    kept_oid   oid,
    reason     text NOT NULL CHECK (reason IN ('deleted', 'expired', 'interrupted', 'unfinished', 'replaced')),
    attempts   int NOT NULL DEFAULT 0,
    message    text,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((file_name IS NULL) <> (target_database IS NULL)),
    CHECK ((kept_oid IS NULL) <> (reason = 'replaced'))
);
CREATE INDEX removals_due ON pgbackup.removals (not_before);
CREATE INDEX removals_of_copies ON pgbackup.removals (backup_id) WHERE backup_id IS NOT NULL;
COMMENT ON TABLE pgbackup.removals IS 'what the launcher is to clean up: a folder in storage, the side database of a killed restore, or a database that a restore has replaced; a row stays until that has worked';
COMMENT ON COLUMN pgbackup.removals.run_id IS 'number of the run that left it';
COMMENT ON COLUMN pgbackup.removals.backup_id IS 'for what a copy left: the backup it is a copy of';
COMMENT ON COLUMN pgbackup.removals.storage IS 'storage';
COMMENT ON COLUMN pgbackup.removals.file_name IS 'folder within the storage';
COMMENT ON COLUMN pgbackup.removals.run_key IS 'key of the run that owns the folder; null if not known';
COMMENT ON COLUMN pgbackup.removals.target_database IS 'database to be dropped: staging_database of a restore or, when replaced, kept_database';
COMMENT ON COLUMN pgbackup.removals.kept_oid IS 'when replaced: OID of the database';
COMMENT ON COLUMN pgbackup.removals.reason IS 'deleted (by pgbackup.delete), expired (by retention), interrupted, unfinished or replaced (and kept for long enough)';
COMMENT ON COLUMN pgbackup.removals.attempts IS 'how often it has failed';
COMMENT ON COLUMN pgbackup.removals.message IS 'why the last attempt failed';
COMMENT ON COLUMN pgbackup.removals.not_before IS 'when it is tried next';
