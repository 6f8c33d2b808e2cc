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
    IF NOT pgbackup._is_valid_name(database) THEN
        RAISE EXCEPTION 'database "%" cannot be backed up under this name', pgbackup._shown_name(database)
            USING ERRCODE = 'character_not_in_repertoire',
                  DETAIL = 'Its name is not text in the encoding of this database.',
                  HINT = 'Rename it: connect to a database of the encoding SQL_ASCII and use ALTER DATABASE ... RENAME TO.';
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
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_wait';
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
    IF NOT $2 THEN
        PERFORM pgbackup._require_delete(format('unpin backup %s', $1),
            'Retention can delete a backup that is not pinned, so this takes the right to call pgbackup.delete().');
    END IF;
    UPDATE pgbackup.backups b SET pinned = $2 WHERE b.id = $1;
    IF NOT FOUND THEN
        PERFORM pgbackup._raise_unknown_backup($1);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup.pin(bigint, boolean) IS 'protects a backup from being deleted, or ends that, which takes the right to call pgbackup.delete()';

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
        INSERT INTO pgbackup.removals (run_id, storage, file_name, run_key, reason)
        VALUES (doomed.id, doomed.storage, doomed.file_name, doomed.run_key, 'deleted')
        ON CONFLICT (run_id) DO NOTHING;
    END IF;
    -- What an attempt at a copy has left is no use to anybody, also when complete ones are kept.
    INSERT INTO pgbackup.removals (run_id, backup_id, storage, file_name, run_key, reason)
    SELECT c.id, c.backup_id, c.storage, doomed.file_name, doomed.run_key,
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
    PERFORM pgbackup._audit(format('copy backup %s to %s', $1, pgbackup._storage_place($2)));
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
    IF pgbackup._s3_bucket(source.storage) IS NULL THEN
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
