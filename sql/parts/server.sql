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
    OUT stored_bytes bigint, OUT total_bytes bigint, OUT data_began timestamptz, OUT data_ended timestamptz,
    OUT tables_done bigint, OUT tables_total bigint, OUT current_tables text[], OUT started_at timestamptz,
    OUT agent_pid int)
    RETURNS SETOF record
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgbackup_progress';
COMMENT ON FUNCTION pgbackup._progress() IS 'internal: the shared memory behind pgbackup.progress';
