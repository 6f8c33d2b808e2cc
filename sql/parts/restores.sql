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
       AND NOT b.options ?| '{schemas,tables,exclude_tables,exclude_table_data}'
       AND (b.database_oid IS NULL OR b.database_oid IN (SELECT p.oid FROM pgbackup._present_oids(ARRAY[target]) AS p));
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

CREATE FUNCTION pgbackup._free_name(database name, suffix text) RETURNS name
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free name;
BEGIN
    LOOP
        free := pgbackup._name_beside(database, suffix || '_' || left(gen_random_uuid()::text, 8));
        EXIT WHEN NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = free);
    END LOOP;
    RETURN free;
END $$;
COMMENT ON FUNCTION pgbackup._free_name(name, text) IS
    'internal: a name made of that of a database, the suffix and random digits, which no database has and no role can predict';

CREATE FUNCTION pgbackup._check_flag(what text, value boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL THEN
        RAISE EXCEPTION '% must not be null', what
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Use true or false.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_flag(text, boolean) IS 'internal: an error for null';

CREATE FUNCTION pgbackup._beside() RETURNS SETOF oid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.kept_oid FROM pgbackup.restores r WHERE r.kept_oid IS NOT NULL
    UNION
    SELECT d.oid FROM pgbackup.restores r JOIN pg_database d ON d.datname = r.staging_database WHERE r.status = 'in_progress'
$$;
COMMENT ON FUNCTION pgbackup._beside() IS 'internal: databases that a restore is filling, or keeps, and perhaps some that are gone';

CREATE FUNCTION pgbackup._is_beside(database oid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT $1 IN (SELECT pgbackup._beside())
$$;
COMMENT ON FUNCTION pgbackup._is_beside(oid) IS
    'internal: whether a database is one that a restore is filling, or keeps: the schedule does not back it up';

CREATE FUNCTION pgbackup._check_environment(source pgbackup.backups, named text, replace boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here constant text := nullif(current_setting('pgbackup.environment'), '');
    here_in_words constant text := CASE WHEN here IS NULL THEN 'a server without pgbackup.environment'
                                        ELSE format('environment "%s"', here) END;
BEGIN
    IF named <> coalesce(source.environment, '') THEN
        RAISE EXCEPTION 'backup % is not of environment "%"', source.id, named
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = CASE WHEN source.environment IS NULL THEN 'It was made where pgbackup.environment was not set.'
                                ELSE format('It is of environment "%s".', source.environment) END,
                  HINT = 'SELECT id, database, environment FROM pgbackup.list() shows those of all backups.';
    END IF;
    IF source.environment IS NULL OR source.environment IS NOT DISTINCT FROM here THEN
        RETURN;
    END IF;
    IF replace AND named IS NULL THEN
        RAISE EXCEPTION 'backup % is of environment "%", and would replace a database of %', source.id, source.environment, here_in_words
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('If that is what you want, say so: from_environment => %L. Otherwise restore it under another name, or choose another backup.',
                                source.environment);
    END IF;
    RAISE NOTICE 'backup % of environment "%" is restored into %', source.id, source.environment, here_in_words;
END $$;
COMMENT ON FUNCTION pgbackup._check_environment(pgbackup.backups, text, boolean) IS
    'internal: an error when the backup is not of the environment that was named, or would replace a database of another one that was not';

CREATE FUNCTION pgbackup._check_passkey(passkey text, is_needed boolean) RETURNS void
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_check_passkey';
COMMENT ON FUNCTION pgbackup._check_passkey(text, boolean) IS
    'internal: an error unless the passkey is the one of pgbackup.restore_passkey, or is neither needed nor given';

CREATE FUNCTION pgbackup._note_restore_errors(restore_id bigint, errors jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO pgbackup.restore_errors (restore_id, position, entry, message, detail)
    SELECT $1, e.n, e.j->>'entry', e.j->>'message', nullif(e.j->>'detail', '')
      FROM jsonb_array_elements($2) WITH ORDINALITY AS e (j, n)
$$;
COMMENT ON FUNCTION pgbackup._note_restore_errors(bigint, jsonb) IS
    'internal: records what a restore has gone past, an array of {entry, message, detail}';

CREATE FUNCTION pgbackup._check_on_error(on_error text, replace boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._check_choice('on_error', on_error, '{stop,continue,continue_and_replace}');
    IF on_error = 'continue' AND replace THEN
        RAISE EXCEPTION 'an incomplete database would replace one that may be complete'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Restore it under a name of its own. If it is to take the place of the other one all the same, say on_error => ''continue_and_replace''.';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_on_error(text, boolean) IS
    'internal: an error unless on_error is known and, if incomplete databases may replace others, says so';

CREATE FUNCTION pgbackup._restore_rate(database name) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (sum(b.raw_size) / nullif(sum(extract(epoch FROM r.duration)), 0))::bigint
      FROM (SELECT r.backup_id, r.duration, r.database = $1 AS is_same, bool_or(r.database = $1) OVER () AS any_same
              FROM pgbackup.restores r
             WHERE r.mode = 'restore' AND r.status = 'completed' AND r.options->>'content' = 'all'
               AND r.duration > interval '0'  -- the clock may have been set back
               AND NOT r.options ?| '{schemas,tables,exclude_tables,exclude_schemas,exclude_table_data,into_schema,on_error,statistics}'
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
    into_schema text DEFAULT NULL,
    from_environment text DEFAULT NULL,
    statistics boolean DEFAULT true,
    exclude_tables text[] DEFAULT NULL,
    exclude_schemas text[] DEFAULT NULL,
    on_error text DEFAULT 'stop',
    exclude_table_data text[] DEFAULT NULL) RETURNS bigint
    -- An error does not put the statement, which holds the passkey, into the server's log.
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET log_min_error_statement = 'panic' AS $$
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
    PERFORM pgbackup._check_flag('statistics', statistics);
    PERFORM pgbackup._check_names('schemas', schemas);
    PERFORM pgbackup._check_names('tables', tables);
    PERFORM pgbackup._check_names('exclude_tables', exclude_tables);
    PERFORM pgbackup._check_names('exclude_schemas', exclude_schemas);
    PERFORM pgbackup._check_names('exclude_table_data', exclude_table_data);
    PERFORM pgbackup._check_choice('content', content, '{all,schema,data}');
    PERFORM pgbackup._check_jobs(jobs);
    PERFORM pgbackup._check_on_error(on_error, replace);
    PERFORM pgbackup._check_into_schema(into_schema, target_database, replace, schemas IS NOT NULL OR tables IS NOT NULL);
    IF replace THEN
        PERFORM pgbackup._check_replaces_all(source, content <> 'all'
            OR num_nonnulls(schemas, tables, exclude_tables, exclude_schemas, exclude_table_data) > 0);
    END IF;
    PERFORM pgbackup._check_environment(source, from_environment, replace);
    IF replace AND NOT dry_run THEN
        PERFORM pgbackup._check_passkey_setting();
    END IF;
    PERFORM pgbackup._check_passkey(passkey, replace AND NOT dry_run);
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (backup_id, CASE WHEN dry_run THEN 'dry_run' ELSE 'restore' END, source.database, target_database,
            jsonb_strip_nulls(jsonb_build_object('schemas', schemas, 'tables', tables,
                'exclude_tables', exclude_tables, 'exclude_schemas', exclude_schemas,
                'exclude_table_data', exclude_table_data,
                'content', content,
                'jobs', coalesce(jobs, current_setting('pgbackup.jobs')::int),
                'replace', replace, 'dry_run', dry_run, 'create_roles', create_roles,
                'into_schema', into_schema,
                'on_error', CASE WHEN on_error <> 'stop' THEN 'continue' END,
                'statistics', nullif(statistics, true))))
    RETURNING id INTO run_id;
    IF replace AND NOT dry_run THEN
        UPDATE pgbackup.restores r SET safety_backup_id = pgbackup._safety_backup(target_database, run_id) WHERE r.id = run_id;
    END IF;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.restore(bigint, name, boolean, boolean, text[], text[], text, int, text, boolean, text, text, boolean, text[], text[], text, text[]) IS
    'asks for a restore into a database that does not exist or is empty or, with replace, in place of one; it starts when the transaction commits. What is replaced stays under the name in kept_database of pgbackup.restores, and pgbackup.undo_restore() brings it back; without a backup of it from within pgbackup.recent_backup_window one is made first, and with pgbackup.restore_passkey it takes the passkey. schemas and tables (schema.table, quoted as in SQL) choose a part; exclude_tables and exclude_schemas leave out what they name and what depends on it, which message names; exclude_table_data brings tables without their rows; content is all, schema, or data (tables with their rows and nothing built on them). With create_roles roles that the backup needs and this server lacks are made as they were, but without passwords. With dry_run everything is checked and read, and message and detail of pgbackup.restores say what would be done, which is not. With into_schema the part goes into a new schema of that name in the target, an existing database that stays as it is. from_environment is the environment that the backup has to be of: to be given when one of another pgbackup.environment replaces a database. With statistics => false the tables are not analyzed, which with many of them is a good part of a restore. With on_error => ''continue'' what the server refuses does not end the restore: it is left out, the run completes with a message that counts it, and pgbackup.restore_errors has each; with replace it has to be ''continue_and_replace''. Returns the id of the restore';

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
    into_schema text DEFAULT NULL,
    from_environment text DEFAULT NULL,
    statistics boolean DEFAULT true,
    exclude_tables text[] DEFAULT NULL,
    exclude_schemas text[] DEFAULT NULL,
    on_error text DEFAULT 'stop',
    exclude_table_data text[] DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_run_restore';
COMMENT ON PROCEDURE pgbackup.run_restore(bigint, name, boolean, boolean, text[], text[], text, int, text, boolean, text, text, boolean, text[], text[], text, text[]) IS
    'restores a backup and waits for it, showing progress; raises an error when it does not complete. The arguments are those of pgbackup.restore()';

CREATE FUNCTION pgbackup.undo_restore(restore_id bigint, passkey text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET log_min_error_statement = 'panic' AS $$
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
    PERFORM pgbackup._check_passkey_setting();
    PERFORM pgbackup._check_passkey(passkey, true);
    INSERT INTO pgbackup.restores (backup_id, mode, database, target_database, options)
    VALUES (undone.backup_id, 'undo', undone.database, undone.target_database,
            jsonb_build_object('restore_id', restore_id))
    RETURNING id INTO run_id;
    PERFORM pgbackup._wake_launcher();
    RETURN run_id;
END $$;
COMMENT ON FUNCTION pgbackup.undo_restore(bigint, text) IS
    'asks for the database back that a restore (or an undo) has replaced; what has its name now is kept in its place. Takes the passkey when pgbackup.restore_passkey is set. Starts when the transaction commits; returns the id of the run, for pgbackup.wait()';
