--
-- Cleaning up the storage (src/pg/sql_janitor.cpp)
--

CREATE FUNCTION pgbackup._ask_janitor(storage text, older_than bigint, folders text[], upload_folders text[]) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_janitor';
COMMENT ON FUNCTION pgbackup._ask_janitor(text, bigint, text[], text[]) IS
    'internal: has an agent look for leftovers older than so many seconds or, when it is given folders, remove them there';

CREATE FUNCTION pgbackup._cleanup_age() RETURNS interval
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pgbackup._seconds_of('timeout') + interval '1 hour', interval '7 days')
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
                WHEN what = 'unreadable' THEN 'the folder cannot be read'
                WHEN what = 'objects' AND probe THEN format('left by a check, older than %s', age)
                WHEN what = 'objects' THEN format('no manifest, older than %s', age)
                WHEN count = 1 THEN format('unfinished upload older than %s', age)
                ELSE format('%s unfinished uploads older than %s', count, age) END
           || CASE WHEN $1 <> current_setting('pgbackup.storage') THEN format(', in %s', pgbackup._storage_place($1)) ELSE '' END,
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
    RAISE NOTICE '%: removed % objects, % unfinished uploads', pgbackup._storage_place(storage), objects, uploads;
END $$;
COMMENT ON FUNCTION pgbackup._cleanup_storage(text, boolean, interval) IS 'internal: removes what unfinished runs have left in a storage, if it is older than that';

CREATE FUNCTION pgbackup._cleanup_replaced(dry_run boolean)
    RETURNS TABLE (backup_id bigint, file_name text, reason text, action text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keep constant interval := pgbackup._seconds_of('keep_replaced');
    kept pgbackup.restores;
BEGIN
    IF keep IS NULL THEN
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
                   JOIN pg_database d ON d.datname = r.staging_database
                  WHERE r.status IN ('completed', 'failed', 'cancelled')
                  ORDER BY r.id FOR UPDATE OF r LOOP
        IF NOT dry_run THEN
            INSERT INTO pgbackup.removals (run_id, target_database, reason)
            VALUES (ended.id, ended.staging_database, 'unfinished')
            ON CONFLICT (run_id) DO UPDATE SET not_before = clock_timestamp();
        END IF;
        RETURN QUERY SELECT ended.backup_id, ended.staging_database::text,
                            format('database filled by restore %s, which has ended', ended.id),
                            CASE WHEN dry_run THEN 'would drop' ELSE 'is being dropped' END;
    END LOOP;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup._cleanup_sides(boolean) IS
    'internal: has the databases dropped that restores were filling and have left behind';

CREATE FUNCTION pgbackup._retry_removals() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pgbackup.removals r SET not_before = clock_timestamp() WHERE r.not_before > clock_timestamp();
    UPDATE pgbackup.unstored_marks u SET not_before = clock_timestamp() WHERE u.not_before > clock_timestamp();
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup._retry_removals() IS 'internal: has what could not be removed, and marks that could not be written, tried again when the transaction commits';

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
    -- Last, because the launcher writes these rows, too, and is not to wait for the storage.
    IF NOT dry_run THEN
        PERFORM pgbackup._retry_removals();
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup.cleanup(boolean) IS
    'applies retention (pgbackup.retention_plan() says why what is kept), drops the databases that restores have replaced longer ago than pgbackup.keep_replaced, and those that ended restores have left unfinished (file_name is then the database), and removes from pgbackup.storage and pgbackup.storage_copies what unfinished runs have left: unfinished uploads, and folders without a manifest, older than the longest allowed run (pgbackup.timeout and an hour, or seven days). What could not be removed before is tried again at once. With dry_run it only tells. Objects with names that pgbackup does not give stay';
