--
-- Taking over what lies in a storage (src/pg/sql_import.cpp)
--

CREATE FUNCTION pgbackup._ask_inventory(storage text, folders text[], allow_unsigned boolean) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_inventory';
COMMENT ON FUNCTION pgbackup._ask_inventory(text, text[], boolean) IS
    'internal: has an agent list the folders with a manifest or, when it is given folders, read their manifests';

CREATE FUNCTION pgbackup._inventory_entry(entry text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN entry::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._inventory_entry(text) IS
    'internal: an entry of what _ask_inventory returns; null when it holds a character that this database cannot represent';

CREATE FUNCTION pgbackup._unknown_folders(storage text, folders text[]) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT f.name FROM unnest(folders) WITH ORDINALITY AS f (name, n)
                  WHERE NOT EXISTS (SELECT FROM pgbackup.backups b
                                     WHERE b.file_name = f.name AND pgbackup._is_same_storage(b.storage, $1))
                    AND NOT EXISTS (SELECT FROM pgbackup.copies c JOIN pgbackup.backups b ON b.id = c.backup_id
                                     WHERE b.file_name = f.name AND pgbackup._is_same_storage(c.storage, $1))
                  ORDER BY f.n)
$$;
COMMENT ON FUNCTION pgbackup._unknown_folders(text, text[]) IS
    'internal: those of the folders in a storage that are neither a known backup''s nor a copy of one';

CREATE FUNCTION pgbackup._free_run_id(wanted bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- What a manifest says may be anybody's invention: the sequence follows it so far and no further.
    furthest constant bigint := 1000000;
    -- Ids of the command line have 13 digits; the sequence never reaches them.
    first_foreign constant bigint := 1000000000000;
    last_foreign constant bigint := 9999999999999;
    last_used bigint;
    is_foreign constant boolean := coalesce(wanted BETWEEN first_foreign AND last_foreign, false);
BEGIN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_used FROM pgbackup.run_id s;
    IF wanted IS NULL OR wanted < 1 OR (NOT is_foreign AND wanted > last_used + furthest)
       OR EXISTS (SELECT FROM pgbackup.backups b WHERE b.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.restores r WHERE r.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.copies c WHERE c.id = wanted)
       OR EXISTS (SELECT FROM pgbackup.removals m WHERE m.run_id = wanted) THEN
        RETURN nextval('pgbackup.run_id');
    END IF;
    IF wanted > last_used AND NOT is_foreign THEN
        PERFORM setval('pgbackup.run_id', wanted);
    END IF;
    RETURN wanted;
END $$;
COMMENT ON FUNCTION pgbackup._free_run_id(bigint) IS
    'internal: this id, which no later run will get, or another one when a run has it already or it is more than a million ahead of all runs';

CREATE FUNCTION pgbackup._why_not_imported(entry jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN octet_length(b.about->>'database') > b.longest THEN format('the name of its database is longer than %s bytes', b.longest)
        WHEN octet_length(b.about->>'created_by') > b.longest THEN format('the name of the role that asked for it is longer than %s bytes', b.longest)
        WHEN length(b.about->>'label') > 200 OR b.about->>'label' ~ '[[:cntrl:]]' THEN 'its label is longer than 200 characters or holds control characters'
        WHEN length(b.about->>'schedule') > 200 OR b.about->>'schedule' ~ '[[:cntrl:]]' THEN 'the name of its schedule is longer than 200 characters or holds control characters'
        WHEN coalesce(b.about->>'started_at', '') = '' OR coalesce(b.about->>'finished_at', '') = '' THEN 'its manifest does not say when it was made'
        WHEN (b.about->>'finished_at')::timestamptz < (b.about->>'started_at')::timestamptz - interval '1 day' THEN 'it ended before it began'
        END
      FROM (SELECT entry->'manifest'->'backup', current_setting('max_identifier_length')::int) AS b (about, longest)
$$;
COMMENT ON FUNCTION pgbackup._why_not_imported(jsonb) IS
    'internal: what of a backup in a storage the catalog cannot hold; null when it can hold all of it';

CREATE FUNCTION pgbackup._import_backup(storage text, entry jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    about constant jsonb := entry->'manifest'->'backup';
    origin constant jsonb := entry->'manifest'->'cluster';
    known constant pgbackup.marks := pgbackup._newest_marks(entry);
    new_id bigint;
BEGIN
    INSERT INTO pgbackup.backups (id, database, file_name, s3_url, s3_region, s3_bucket, storage,
        file_size, raw_size, database_size, backup_type, schedule, label, format, status, checksum,
        created_by, created_at, started_at, finished_at, server_version, system_identifier, database_oid, instance, run_key, environment,
        pinned, verified_at, verified_level, options, manifest)
    VALUES (pgbackup._free_run_id((about->>'id')::bigint), about->>'database', entry->>'file_name',
        CASE WHEN pgbackup._s3_bucket(storage) IS NOT NULL THEN pgbackup._storage_place(storage) || '/' || (entry->>'file_name') END,
        pgbackup._s3_option(storage, 'region'), pgbackup._s3_bucket(storage), storage,
        (entry->>'file_size')::bigint, (entry->'manifest'->'totals'->>'raw_size')::bigint,
        (entry->'manifest'->'totals'->>'database_size')::bigint,
        CASE about->>'backup_type' WHEN 'scheduled' THEN 'scheduled' ELSE 'manual' END,
        about->>'schedule', about->>'label', about->>'format', 'completed', entry->>'checksum',
        coalesce(about->>'created_by', ''),
        coalesce(nullif(about->>'created_at', ''), about->>'started_at')::timestamptz,
        (about->>'started_at')::timestamptz, (about->>'finished_at')::timestamptz,
        origin->>'server_version', origin->>'system_identifier', (entry->'manifest'->'database'->>'oid')::oid, pgbackup._instance_name(origin), about->>'run_key', nullif(origin->>'environment', ''),
        -- What another server has made is that one's to remove.
        coalesce(known.pinned, false)
            OR CASE WHEN origin->'instance'->>'token' IS NULL THEN origin->>'name' IS DISTINCT FROM pgbackup._cluster_name()
                    ELSE NOT pgbackup._is_own(origin) END,
        known.verified_at, known.verified_level,
        jsonb_strip_nulls(jsonb_build_object('content', about->'content', 'format', about->'format',
            'compression', about->'compression',
            'schemas', nullif(about->'schemas', '[]'), 'tables', nullif(about->'tables', '[]'),
            'exclude_tables', nullif(about->'exclude_tables', '[]'),
            'exclude_table_data', nullif(about->'exclude_table_data', '[]'))),
        entry->'manifest')
    RETURNING id INTO new_id;
    PERFORM pgbackup._take_marks(new_id, entry);
END $$;
COMMENT ON FUNCTION pgbackup._import_backup(text, jsonb) IS 'internal: the row of a backup in a storage, from its manifest';

CREATE FUNCTION pgbackup._try_import(storage text, entry jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    reason text := 'its manifest holds characters that this database cannot represent';
BEGIN
    IF entry IS NOT NULL THEN
        BEGIN
            reason := pgbackup._why_not_imported(entry);
            IF reason IS NULL THEN
                PERFORM pgbackup._import_backup(storage, entry);
            END IF;
        EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
            reason := SQLERRM;
        END;
    END IF;
    IF reason IS NOT NULL THEN
        RAISE WARNING 'backup % in % was not imported: %', coalesce(quote_ident(entry->>'file_name'), 'with another encoding'),
                pgbackup._storage_place(storage), reason
            USING HINT = 'It was left out; the other backups are not concerned.';
    END IF;
    RETURN reason IS NULL;
END $$;
COMMENT ON FUNCTION pgbackup._try_import(text, jsonb) IS
    'internal: enters a backup into the catalog, or warns why it cannot be';

CREATE FUNCTION pgbackup._warn_unreadable(entries jsonb) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    element text;
    entry jsonb;
    count bigint := 0;
    most_named constant bigint := 20;
BEGIN
    FOR element IN SELECT e.value FROM jsonb_array_elements_text(entries) AS e (value) LOOP
        entry := pgbackup._inventory_entry(element);
        count := count + 1;
        CONTINUE WHEN count > most_named;
        RAISE WARNING '%', coalesce(entry->>'message', 'a backup whose name this database cannot represent was not imported')
            USING DETAIL = concat_ws(' ', nullif(entry->>'detail', ''), 'It was left out; the other backups are not concerned.'),
                  HINT = coalesce(nullif(entry->>'hint', ''), 'Use another backup.');
    END LOOP;
    IF count > most_named THEN
        RAISE WARNING '% more backups were not imported', count - most_named
            USING HINT = 'They were left out; the other backups are not concerned.';
    END IF;
    RETURN count;
END $$;
COMMENT ON FUNCTION pgbackup._warn_unreadable(jsonb) IS
    'internal: warns about the backups in a storage that cannot be used, of more than twenty with their number, and returns how many these are';

CREATE FUNCTION pgbackup.import(storage text DEFAULT NULL, allow_unsigned boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    manifests_at_once constant int := 50;  -- they come in one answer
    most_named constant bigint := 20;
    place constant text := coalesce(storage, current_setting('pgbackup.storage', true));
    found jsonb;
    element text;
    entry jsonb;
    ignored bigint := 0;  -- marks
    listed text[] := '{}';
    folders text[];
    deferred text[];
    imported bigint := 0;
    skipped bigint := 0;
    nameless bigint;
    known bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._require_superuser('import backups');
    PERFORM pgbackup._audit(format('import backups from %s', pgbackup._storage_place(place)));
    IF coalesce(place, '') = '' OR pgbackup._storage_error(place) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid storage'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = coalesce(pgbackup._storage_error(nullif(place, '')), 'None is named, and pgbackup.storage is empty.'),
                  HINT = 'Use file:///absolute/path or s3://bucket/prefix.';
    END IF;
    found := pgbackup._ask_inventory(place, NULL, allow_unsigned);
    skipped := pgbackup._warn_unreadable(found->'unreadable');
    SELECT coalesce(array_agg(f.name ORDER BY f.n) FILTER (WHERE f.name IS NOT NULL), '{}'), count(*) FILTER (WHERE f.name IS NULL)
      INTO listed, nameless
      FROM (SELECT pgbackup._inventory_entry(e.value) #>> '{}', e.n
              FROM jsonb_array_elements_text(found->'folders') WITH ORDINALITY AS e (value, n)) AS f (name, n);
    IF nameless > 0 THEN
        RAISE WARNING '% backups whose names this database cannot represent were not imported', nameless
            USING HINT = 'They were left out; the other backups are not concerned.';
        skipped := skipped + nameless;
    END IF;
    folders := pgbackup._unknown_folders(place, listed);
    known := cardinality(listed) - cardinality(folders);
    WHILE cardinality(folders) > 0 LOOP
        found := pgbackup._ask_inventory(place, folders[1 : manifests_at_once], allow_unsigned);
        SELECT coalesce(array_agg(pgbackup._inventory_entry(e.value) #>> '{}' ORDER BY e.n), '{}') INTO deferred
          FROM jsonb_array_elements_text(found->'deferred') WITH ORDINALITY AS e (value, n);
        folders := deferred || folders[manifests_at_once + 1 :];
        -- Oldest first, so that new ids have the order of time.
        FOR element IN SELECT e.value FROM jsonb_array_elements_text(found->'backups') WITH ORDINALITY AS e (value, n)
                        ORDER BY e.n DESC LOOP
            entry := pgbackup._inventory_entry(element);
            IF pgbackup._try_import(place, entry) THEN
                imported := imported + 1;
                IF entry->>'marks_ignored' IS NOT NULL THEN
                    ignored := ignored + 1;
                    IF ignored <= most_named THEN
                        PERFORM pgbackup._warn_marks(place, entry);
                    END IF;
                END IF;
            ELSE
                skipped := skipped + 1;
            END IF;
        END LOOP;
        skipped := skipped + pgbackup._warn_unreadable(found->'unreadable');
    END LOOP;
    IF ignored > most_named THEN
        RAISE WARNING 'marks.json of % more backups was ignored', ignored - most_named
            USING HINT = 'The backups were imported without what these objects say of pins and verifications.';
    END IF;
    RAISE NOTICE '%: % backups imported, % were known, % skipped', pgbackup._storage_place(place), imported, known, skipped;
    RETURN imported;
END $$;
COMMENT ON FUNCTION pgbackup.import(text, boolean) IS
    'enters the backups that lie in a storage (pgbackup.storage unless one is named) into the catalog, from their manifests, and returns how many; those that it has already stay as they are, and one that cannot be used is skipped with a warning. Ids stay, too, unless another run has them or they are far ahead, and so do pins and verifications, which lie in the storage and in pgbackup.marks, which comes with a dump of the home database. Backups of other clusters come pinned. With pgbackup.manifest_key_file set, manifests have to be signed, unless allow_unsigned';
