--
-- Which server may remove what lies in a storage (src/core/ownership, src/pg/sql_ownership.cpp)
--

CREATE FUNCTION pgbackup._describe_place() RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_describe_place';
COMMENT ON FUNCTION pgbackup._describe_place() IS 'internal: what a copy of this server has otherwise: the id of the machine, and device, inode and time of creation of the data directory';

CREATE FUNCTION pgbackup._place() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(encode(sha256(convert_to(pgbackup._describe_place(), 'UTF8')), 'hex'), 32)
$$;
COMMENT ON FUNCTION pgbackup._place() IS 'internal: fingerprint of the machine and of the data directory';

CREATE FUNCTION pgbackup._timeline() RETURNS int
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_timeline';
COMMENT ON FUNCTION pgbackup._timeline() IS 'internal: the timeline that this server writes; 0 while it is in recovery';

CREATE TABLE pgbackup.instance (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    token    text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
    place    text NOT NULL,
    system_identifiers text[] NOT NULL
);
COMMENT ON TABLE pgbackup.instance IS 'one row: what storages know this catalog by';
COMMENT ON COLUMN pgbackup.instance.only_row IS 'there is one row';
COMMENT ON COLUMN pgbackup.instance.token IS 'random; copies of the server have the same one';
COMMENT ON COLUMN pgbackup.instance.place IS 'fingerprint of the machine and data directory where the server was when it could last remove backups';
COMMENT ON COLUMN pgbackup.instance.system_identifiers IS 'system identifiers that the cluster of this catalog has had: pg_upgrade gives it a new one';
INSERT INTO pgbackup.instance (place, system_identifiers)
SELECT pgbackup._place(), ARRAY[c.system_identifier::text] FROM pg_control_system() AS c;

CREATE FUNCTION pgbackup._note_system() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.instance i SET system_identifiers = i.system_identifiers || c.system_identifier::text
      FROM pg_control_system() AS c WHERE c.system_identifier::text <> ALL (i.system_identifiers)
$$;
COMMENT ON FUNCTION pgbackup._note_system() IS 'internal: records the system identifier of the cluster, which is another one after pg_upgrade';

CREATE FUNCTION pgbackup._token() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.token FROM pgbackup.instance i
$$;
COMMENT ON FUNCTION pgbackup._token() IS 'internal: what storages know this catalog by';

CREATE TABLE pgbackup.leases (
    storage    text PRIMARY KEY,
    place      text NOT NULL,
    held       boolean NOT NULL,
    holder     text,
    cluster    text,
    renewed_at timestamptz,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE pgbackup.leases IS 'for each storage, whether this server may remove what its catalog has written there, as a run has seen it last';
COMMENT ON COLUMN pgbackup.leases.storage IS 'storage';
COMMENT ON COLUMN pgbackup.leases.place IS 'fingerprint of the server that saw it: a copy of the server takes nothing from rows of the other';
COMMENT ON COLUMN pgbackup.leases.held IS 'true when this server may remove backups';
COMMENT ON COLUMN pgbackup.leases.holder IS 'instance that may; null for none';
COMMENT ON COLUMN pgbackup.leases.cluster IS 'name of its cluster';
COMMENT ON COLUMN pgbackup.leases.renewed_at IS 'when it was last there, by the clock of the storage';
COMMENT ON COLUMN pgbackup.leases.seen_at IS 'when a run of this server saw it';

CREATE FUNCTION pgbackup._instance_name(system_identifier text, token text, place text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(encode(sha256(convert_to(concat_ws(E'\n', system_identifier, token, place), 'UTF8')), 'hex'), 8)
$$;
COMMENT ON FUNCTION pgbackup._instance_name(text, text, text) IS 'internal: what {instance} in pgbackup.name_template stands for';

CREATE FUNCTION pgbackup._instance_name(origin jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN origin ? 'instance'
                THEN pgbackup._instance_name(origin->>'system_identifier', origin->'instance'->>'token', origin->'instance'->>'place') END
$$;
COMMENT ON FUNCTION pgbackup._instance_name(jsonb) IS 'internal: the same of the server that a manifest names; null when it names none';

CREATE FUNCTION pgbackup._instance() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('system_identifier', c.system_identifier::text, 'token', i.token, 'place', p.place,
               'timeline', pgbackup._timeline(), 'is_copy', i.place <> p.place, 'name', pgbackup._instance_name(c.system_identifier::text, i.token, p.place))
      FROM pgbackup.instance i, pg_control_system() c, pgbackup._place() AS p (place)
$$;
COMMENT ON FUNCTION pgbackup._instance() IS 'internal: this server, as jobs name it; name is what {instance} in pgbackup.name_template stands for';

CREATE FUNCTION pgbackup._is_own(origin jsonb) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- The catalog may be new.
    SELECT origin->>'system_identifier' = me->>'system_identifier' AND origin->'instance'->>'place' = me->>'place'
      FROM pgbackup._instance() AS i (me)
$$;
COMMENT ON FUNCTION pgbackup._is_own(jsonb) IS 'internal: whether the server that a manifest names is this one, and no copy of it';

CREATE FUNCTION pgbackup._note_lease(storage text, lease jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    here constant text := pgbackup._place();
    had constant boolean := pgbackup._may_remove(storage);
BEGIN
    IF lease IS NULL OR storage IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO pgbackup.leases AS l (storage, place, held, holder, cluster, renewed_at)
    VALUES (storage, here, (lease->>'held')::boolean, lease->>'holder', lease->>'cluster', (lease->>'renewed_at')::timestamptz)
    ON CONFLICT ON CONSTRAINT leases_pkey DO UPDATE
       SET place = EXCLUDED.place, held = EXCLUDED.held, holder = EXCLUDED.holder, cluster = EXCLUDED.cluster,
           renewed_at = EXCLUDED.renewed_at, seen_at = EXCLUDED.seen_at;
    IF (lease->>'held')::boolean AND storage = current_setting('pgbackup.storage') THEN
        UPDATE pgbackup.instance i SET place = here WHERE i.place <> here;
    END IF;
    IF (lease->>'held')::boolean AND NOT had THEN
        PERFORM pgbackup._queue_marks_in(storage);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._note_lease(text, jsonb) IS 'internal: records what a run has seen of the lease in a storage';

CREATE FUNCTION pgbackup._may_remove(storage text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT l.held FROM pgbackup.leases l WHERE l.storage = $1 AND l.place = h.place),
                    (SELECT i.place = h.place FROM pgbackup.instance i))
      FROM pgbackup._place() AS h (place)
$$;
COMMENT ON FUNCTION pgbackup._may_remove(text) IS
    'internal: whether this server may remove backups from a storage, as far as it knows; agents ask the storage before they do';

CREATE FUNCTION pgbackup._ownership_problems() RETURNS TABLE (status text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'warning', CASE WHEN l.holder IS NULL
                           THEN format('this server is a copy of another one, or has moved, so it removes no backups from %s: SELECT pgbackup.take_over_storage() if the other one is gone',
                                       pgbackup._storage_place(l.storage))
                           ELSE format('another server (instance %s of cluster "%s", last there at %s) may remove backups from %s, so this one removes none: SELECT pgbackup.take_over_storage() if that one is gone',
                                       l.holder, l.cluster, l.renewed_at, pgbackup._storage_place(l.storage)) END
      FROM pgbackup.leases l, pgbackup._place() AS h (place)
     WHERE l.place = h.place AND NOT l.held
       AND (l.storage = current_setting('pgbackup.storage') OR EXISTS (SELECT FROM pgbackup._wanted_copies('') AS w WHERE w = l.storage))
    UNION ALL
    SELECT 'warning', 'this server is a copy of another one, or has moved to another machine or data directory: it removes no backups until the next one has shown whether it may'
      FROM pgbackup.instance i, pgbackup._place() AS h (place)
     WHERE i.place <> h.place AND current_setting('pgbackup.storage') <> ''
       AND NOT EXISTS (SELECT FROM pgbackup.leases l WHERE l.place = h.place AND l.storage = current_setting('pgbackup.storage'))
$$;
COMMENT ON FUNCTION pgbackup._ownership_problems() IS 'internal: why this server removes no backups';

CREATE FUNCTION pgbackup._adopt_backup(run_id bigint, found jsonb) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.copies c SET next_attempt_at = clock_timestamp()
     WHERE c.backup_id = $1 AND c.status = 'failed' AND c.next_attempt_at IS NULL;
    UPDATE pgbackup.backups b
       SET status = 'completed', raw_size = (found->>'raw_size')::bigint, file_size = (found->>'file_size')::bigint,
           database_size = (found->>'database_size')::bigint, database_oid = (found->>'database_oid')::oid, checksum = found->>'checksum', format = found->>'format',
           manifest = found->'manifest', finished_at = (found->>'finished_at')::timestamptz,
           message = 'was complete in the storage when the server did not know it yet', detail = NULL, hint = NULL, sqlstate = NULL
     WHERE b.id = $1 AND b.status = 'failed'
$$;
COMMENT ON FUNCTION pgbackup._adopt_backup(bigint, jsonb) IS
    'internal: a run that counted as interrupted has turned out to be complete in the storage';

CREATE FUNCTION pgbackup._ask_take_over(storage text, token text) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_take_over';
COMMENT ON FUNCTION pgbackup._ask_take_over(text, text) IS 'internal: has an agent make this server the one that may remove backups of a catalog from a storage';

CREATE FUNCTION pgbackup.take_over_storage(storage text DEFAULT NULL, token text DEFAULT NULL)
    RETURNS TABLE (taken_over text, previous_instance text, previous_cluster text, last_there timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    place text;
    answer jsonb;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('take over storage%s%s', ' ' || pgbackup._storage_place(storage), ' from ' || token));
    PERFORM pgbackup._check_storage(storage);
    IF token !~ '^[0-9a-f]{32}$' THEN
        RAISE EXCEPTION 'invalid token: %', quote_literal(token)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'The objects in pgbackup-instances/ of the storage are named by the tokens of the servers that write there.';
    END IF;
    IF coalesce(storage, current_setting('pgbackup.storage')) = '' THEN
        RAISE EXCEPTION 'no storage is set'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER SYSTEM SET pgbackup.storage = ''s3://bucket/prefix'' or ''file:///path''; then SELECT pg_reload_conf().';
    END IF;
    FOR place IN SELECT storage WHERE storage IS NOT NULL
                 UNION ALL SELECT current_setting('pgbackup.storage') WHERE storage IS NULL
                 UNION ALL SELECT w.* FROM pgbackup._wanted_copies(current_setting('pgbackup.storage')) AS w WHERE storage IS NULL LOOP
        answer := pgbackup._ask_take_over(place, token);
        IF token IS NULL THEN
            PERFORM pgbackup._note_lease(place, answer->'lease');
        END IF;
        PERFORM pgbackup._queue_marks_in(place);
        taken_over := pgbackup._storage_place(place);
        previous_instance := answer->'before'->>'holder';
        previous_cluster := answer->'before'->>'cluster';
        last_there := (answer->'before'->>'renewed_at')::timestamptz;
        RETURN NEXT;
    END LOOP;
    -- What was refused before can go on.
    PERFORM pgbackup._retry_removals();
END $$;
COMMENT ON FUNCTION pgbackup.take_over_storage(text, text) IS
    'makes this server the one that may remove backups of its catalog from a storage (pgbackup.storage and pgbackup.storage_copies unless one is named): after a failover or a move, when the server that was there before is gone for good. With token, those of another catalog, which has left its marker in pgbackup-instances/. Returns who could before';
