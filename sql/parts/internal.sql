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

CREATE FUNCTION pgbackup._may_delete() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pgbackup._caller_may('pgbackup.delete(bigint, boolean)')
$$;
COMMENT ON FUNCTION pgbackup._may_delete() IS 'internal: whether the caller may delete backups, and do what has retention delete them';

CREATE FUNCTION pgbackup._require_delete(what text, why text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pgbackup._may_delete() THEN
        RAISE EXCEPTION 'permission denied to %', what
            USING ERRCODE = 'insufficient_privilege', DETAIL = why,
                  HINT = 'Ask for the level admin: SELECT pgbackup.grant_access(role, ''admin'').';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._require_delete(text, text) IS 'internal: raises an error unless the caller may delete backups';

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
    SELECT nullif(current_setting('pgbackup.' || $1, true)::interval, interval '0')
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
                  pgbackup._storage_place(b.storage), b.file_name,
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

CREATE FUNCTION pgbackup._next_attempt(failures int) RETURNS timestamptz
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clock_timestamp() + least(interval '1 hour', interval '1 minute' * power(2, least($1, 10)))
$$;
COMMENT ON FUNCTION pgbackup._next_attempt(int) IS
    'internal: when to try again what has failed so often before: a minute from now, then twice as long each time, an hour at most';
