--
-- Taking over what lies in a storage (src/pg/sql_import.cpp)
--

CREATE FUNCTION pgbackup._ask_inventory(storage text, folders text[]) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_inventory';
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
        created_by, created_at, started_at, finished_at, server_version, system_identifier, environment, pinned, options, manifest)
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
        origin->>'server_version', origin->>'system_identifier', nullif(origin->>'environment', ''),
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
