-- pgbackup 1.0: the catalog and the functions of the extension.
\echo Use "CREATE EXTENSION pgbackup" to load this file. \quit

--
-- A schema in which others have, or may get, objects would have this script and its functions call them.
--

-- CREATE EXTENSION puts the schema first.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
DECLARE
    unsafe text;
BEGIN
    SELECT CASE WHEN NOT r.rolsuper THEN format('It belongs to role "%s", which is not a superuser.', r.rolname)
                WHEN a.grantees IS NOT NULL THEN format('Others may create objects in it: %s.', a.grantees)
                WHEN o.objects IS NOT NULL THEN format('It is not empty: it contains %s.', o.objects) END INTO unsafe
      FROM pg_namespace n
      JOIN pg_roles r ON r.oid = n.nspowner,
           LATERAL (SELECT string_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, ', ') AS grantees
                      FROM aclexplode(n.nspacl) AS x
                     WHERE x.privilege_type = 'CREATE' AND x.grantee <> n.nspowner) AS a,
           -- The extension itself depends on the schema, too.
           LATERAL (SELECT string_agg(pg_describe_object(l.classid, l.objid, l.objsubid), ', ') AS objects
                      FROM (SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
                             WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
                               AND d.classid <> 'pg_extension'::regclass
                             ORDER BY d.classid, d.objid LIMIT 5) AS l) AS o
     WHERE n.nspname = 'pgbackup';
    IF unsafe IS NOT NULL THEN
        RAISE EXCEPTION 'extension "pgbackup" cannot be created in the existing schema "pgbackup"'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = unsafe,
                  HINT = 'Drop or rename the schema: ALTER SCHEMA pgbackup RENAME TO pgbackup_old. CREATE EXTENSION creates a new one.';
    END IF;
END $$;

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

CREATE FUNCTION pgbackup._library(OUT version text, OUT path text, OUT state text)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_library';
COMMENT ON FUNCTION pgbackup._library() IS
    'internal: the library that the server runs, and whether its file is still the one that was loaded: loaded, replaced or missing; null when the server does not preload it';

-- Of a version 1.2.3 of the library the objects have version 1.2.
CREATE FUNCTION pgbackup._library_problems() RETURNS TABLE (status text, reason text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'critical', format('the file of the library of pgbackup, "%s", does not exist any more', l.path),
           'Install pgbackup, or the server will not start the next time.'
      FROM pgbackup._library() AS l WHERE l.state = 'missing'
    UNION ALL
    SELECT 'warning', format('the file of the library of pgbackup, "%s", has been replaced since the server started', l.path),
           'Restart the server, which goes on with the file that it has loaded.'
      FROM pgbackup._library() AS l WHERE l.state = 'replaced'
    UNION ALL
    SELECT 'critical', format('the library of pgbackup has version %s, the extension has version %s', l.version, e.extversion),
           'ALTER EXTENSION pgbackup UPDATE, if the extension is the older one; otherwise install the newer library and restart the server.'
      FROM pgbackup._library() AS l, pg_extension e
     WHERE e.extname = 'pgbackup' AND e.extversion <> substring(l.version FROM '^[0-9]+\.[0-9]+')
$$;
COMMENT ON FUNCTION pgbackup._library_problems() IS 'internal: what is wrong with the library that the server runs';

CREATE FUNCTION pgbackup._launcher_state(OUT pid int, OUT since timestamptz, OUT last_round_at timestamptz, OUT last_end_at timestamptz, OUT is_stuck boolean)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_launcher_state';
COMMENT ON FUNCTION pgbackup._launcher_state() IS
    'internal: the launcher''s process and when it was last seen to get ahead, which is stuck when that is longer ago than it should be; last_end_at is when it last recorded the end of a run, or began; pid is null when none runs, since when is then known';

CREATE FUNCTION pgbackup._launcher_trouble(OUT since timestamptz, OUT last_at timestamptz, OUT errors bigint, OUT message text)
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgbackup_launcher_trouble';
COMMENT ON FUNCTION pgbackup._launcher_trouble() IS
    'internal: the errors that the launcher meets round after round, with the last one; nulls when it meets none';

CREATE FUNCTION pgbackup._wake_launcher() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_wake_launcher';
COMMENT ON FUNCTION pgbackup._wake_launcher() IS 'internal: wakes the launcher when the transaction commits';

CREATE FUNCTION pgbackup.is_confined() RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_is_confined';
COMMENT ON FUNCTION pgbackup.is_confined() IS
    'whether this session is confined, as those are that dump and restore: it evaluates expressions and functions of other roles without superuser rights';

CREATE FUNCTION pgbackup.launcher_pid() RETURNS int
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_launcher_pid';
COMMENT ON FUNCTION pgbackup.launcher_pid() IS 'process id of the pgbackup launcher, null when it is not running';

CREATE FUNCTION pgbackup._caller_is_superuser() RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_caller_is_superuser';
COMMENT ON FUNCTION pgbackup._caller_is_superuser() IS 'internal: whether the role that called the function around this one is a superuser';

CREATE FUNCTION pgbackup._caller_may(routine text) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_caller_may';
COMMENT ON FUNCTION pgbackup._caller_may(text) IS 'internal: whether the role that called the function around this one may execute a routine, which is given as regprocedure takes it';

CREATE FUNCTION pgbackup._caller() RETURNS name
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_caller';
COMMENT ON FUNCTION pgbackup._caller() IS 'internal: the role that called the function around this one';

CREATE FUNCTION pgbackup._is_valid_name(name name) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_is_valid_name';
COMMENT ON FUNCTION pgbackup._is_valid_name(name) IS 'internal: whether a name, which a database of another encoding may have been given, is text in the encoding of this one';

CREATE FUNCTION pgbackup._shown_name(name name) RETURNS name
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_shown_name';
COMMENT ON FUNCTION pgbackup._shown_name(name) IS 'internal: a name with ? in the place of bytes that are no text in the encoding of this database';

CREATE FUNCTION pgbackup._audit(what text) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgbackup_audit';
COMMENT ON FUNCTION pgbackup._audit(text) IS 'internal: writes to the server''s log which role wants to do what';

CREATE FUNCTION pgbackup._storage_error(url text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_storage_error';
COMMENT ON FUNCTION pgbackup._storage_error(text) IS 'internal: what is wrong with a storage URL, null when nothing';

CREATE FUNCTION pgbackup._is_same_storage(url text, other text) RETURNS boolean
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_is_same_storage';
COMMENT ON FUNCTION pgbackup._is_same_storage(text, text) IS 'internal: whether two storage URLs lead to the same place';

CREATE FUNCTION pgbackup._storage_place(storage text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_storage_place';
COMMENT ON FUNCTION pgbackup._storage_place(text) IS 'internal: the URL of a storage without parameters and trailing slashes';

CREATE FUNCTION pgbackup._s3_bucket(storage text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_s3_bucket';
COMMENT ON FUNCTION pgbackup._s3_bucket(text) IS 'internal: the bucket of a storage; null for a directory';

CREATE FUNCTION pgbackup._s3_option(storage text, option text) RETURNS text
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_s3_option';
COMMENT ON FUNCTION pgbackup._s3_option(text, text) IS
    'internal: an option of S3 for a storage, from its URL or else the setting; null when it is not set, and for a directory';

CREATE FUNCTION pgbackup._is_compression(value text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgbackup_is_compression';
COMMENT ON FUNCTION pgbackup._is_compression(text) IS 'internal: whether a value is good for pgbackup.compression';

CREATE FUNCTION pgbackup._cluster_name() RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_cluster_name';
COMMENT ON FUNCTION pgbackup._cluster_name() IS 'internal: the name of this cluster in storage';

CREATE FUNCTION pgbackup._ask_presign(id bigint, seconds bigint) RETURNS jsonb
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_presign';
COMMENT ON FUNCTION pgbackup._ask_presign(bigint, bigint) IS 'internal: asks an agent for the URLs of a backup''s objects';

CREATE FUNCTION pgbackup._guard_transition() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'pgbackup_guard_transition';
COMMENT ON FUNCTION pgbackup._guard_transition() IS 'internal: refuses changes of status that the life of a run does not have';

CREATE FUNCTION pgbackup._progress(
    OUT id bigint, OUT kind text, OUT database name, OUT phase text, OUT raw_bytes bigint,
    OUT stored_bytes bigint, OUT total_bytes bigint, OUT data_began timestamptz, OUT data_ended timestamptz,
    OUT tables_done bigint, OUT tables_total bigint, OUT current_tables text[], OUT started_at timestamptz,
    OUT agent_pid int, OUT last_progress_at timestamptz)
    RETURNS SETOF record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_progress';
COMMENT ON FUNCTION pgbackup._progress() IS 'internal: the shared memory behind pgbackup.progress';
