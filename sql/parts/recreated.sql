--
-- Databases that are dropped and created anew under their names (src/shared/retention)
--
-- A backup is of the database with its OID. Those of a former database of the name neither expire nor count until an
-- administrator has decided whether it is the same one. What a restore puts in place of a database is.
--

CREATE TABLE pgbackup.database_oids (
    database          name NOT NULL,
    oid               oid NOT NULL,
    system_identifier text NOT NULL,
    same_as           oid NOT NULL,
    PRIMARY KEY (database, oid, system_identifier)
);
SELECT pg_extension_config_dump('pgbackup.database_oids', '');
COMMENT ON TABLE pgbackup.database_oids IS 'OIDs that databases have had one after the other: a restore with replace gives a database another one, and pgbackup.adopt_database() says so of others';
COMMENT ON COLUMN pgbackup.database_oids.database IS 'name of the database';
COMMENT ON COLUMN pgbackup.database_oids.oid IS 'an OID that it has, or has had';
COMMENT ON COLUMN pgbackup.database_oids.system_identifier IS 'system identifier of the cluster';
COMMENT ON COLUMN pgbackup.database_oids.same_as IS 'one of these OIDs, the same for all of one database';

CREATE TABLE pgbackup.recreated_databases (
    database   name PRIMARY KEY,
    decided_by name NOT NULL DEFAULT session_user,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT pg_extension_config_dump('pgbackup.recreated_databases', '');
COMMENT ON TABLE pgbackup.recreated_databases IS 'databases that count as the same ones however often they are created anew: pgbackup.adopt_database() with always';
COMMENT ON COLUMN pgbackup.recreated_databases.database IS 'name of the database';
COMMENT ON COLUMN pgbackup.recreated_databases.decided_by IS 'role that decided so';
COMMENT ON COLUMN pgbackup.recreated_databases.decided_at IS 'when it did';

CREATE FUNCTION pgbackup._present_oids(databases name[]) RETURNS TABLE (database name, oid oid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH own AS MATERIALIZED (SELECT i.system_identifiers AS systems FROM pgbackup.instance i),
    present AS MATERIALIZED (
        SELECT n.name AS database, coalesce(d.oid, (
                -- Of databases that are gone, the one that was backed up last.
                SELECT b.database_oid FROM pgbackup.backups b
                 WHERE b.database = n.name AND b.status = 'completed' AND b.database_oid IS NOT NULL
                   AND b.system_identifier = ANY ((SELECT o.systems FROM own o)::text[])
                 ORDER BY b.id DESC LIMIT 1)) AS oid
          FROM (SELECT DISTINCT u.name FROM unnest($1) AS u (name)) AS n LEFT JOIN pg_database d ON d.datname = n.name),
    known AS MATERIALIZED (
        SELECT k.database, k.oid, k.same_as FROM pgbackup.database_oids k
         WHERE k.database = ANY ($1) AND k.system_identifier = ANY ((SELECT o.systems FROM own o)::text[]))
    SELECT p.database, p.oid FROM present p WHERE p.oid IS NOT NULL
    UNION
    SELECT k.database, k.oid FROM present p
      JOIN known s ON s.database = p.database AND s.oid = p.oid
      JOIN known k ON k.database = s.database AND k.same_as = s.same_as
$$;
COMMENT ON FUNCTION pgbackup._present_oids(name[]) IS
    'internal: the OID of each of these databases, or that the last one of the name had, and all that it had before';

CREATE FUNCTION pgbackup._join_oids(database name, oids oid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    here constant text := (SELECT c.system_identifier::text FROM pg_control_system() AS c);
    systems constant text[] := (SELECT i.system_identifiers || here FROM pgbackup.instance i);
    joined constant oid := oids[1];
BEGIN
    -- With each comes whatever was the same before.
    UPDATE pgbackup.database_oids k SET same_as = joined
     WHERE k.database = database AND k.system_identifier = ANY (systems) AND k.same_as <> joined
       AND k.same_as IN (SELECT s.same_as FROM pgbackup.database_oids s
                          WHERE s.database = database AND s.oid = ANY (oids) AND s.system_identifier = ANY (systems));
    INSERT INTO pgbackup.database_oids (database, oid, system_identifier, same_as)
    SELECT DISTINCT database, o.oid, here, joined FROM unnest(oids) AS o (oid)
    ON CONFLICT ON CONSTRAINT database_oids_pkey DO NOTHING;
END $$;
COMMENT ON FUNCTION pgbackup._join_oids(name, oid[]) IS 'internal: records that databases with these OIDs are one';

CREATE FUNCTION pgbackup._continue_database(restore_id bigint, new_oid oid, replaced_oid oid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    run pgbackup.restores;
    source_oid oid;
BEGIN
    SELECT r.* INTO run FROM pgbackup.restores r WHERE r.id = restore_id;
    IF run.mode <> 'restore' THEN
        RETURN;  -- what comes back is what it was
    END IF;
    -- It continues the database that the backup was made of, if that had this name, and otherwise the one that it replaces.
    SELECT b.database_oid INTO source_oid FROM pgbackup.backups b, pgbackup.instance i
     WHERE b.id = run.backup_id AND b.database = run.target_database AND b.system_identifier = ANY (i.system_identifiers)
       AND run.options->>'content' = 'all' AND coalesce(b.options->>'content', 'all') = 'all'
       AND NOT (run.options || b.options) ?| '{schemas,tables,exclude_tables,exclude_schemas,exclude_table_data}';
    IF coalesce(source_oid, replaced_oid) IS NOT NULL THEN
        PERFORM pgbackup._join_oids(run.target_database, ARRAY[coalesce(source_oid, replaced_oid), new_oid]);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._continue_database(bigint, oid, oid) IS
    'internal: records which database the one is that a restore puts in place of another one, or where none was';

CREATE FUNCTION pgbackup._former_problems(databases name[]) RETURNS TABLE (database name, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE d AS MATERIALIZED (
        SELECT DISTINCT u.name FROM unnest($1) AS u (name)
         WHERE u.name NOT IN (SELECT r.database FROM pgbackup.recreated_databases r)),
    present AS MATERIALIZED (SELECT p.database, p.oid FROM pgbackup._present_oids(ARRAY(SELECT d.name FROM d)) AS p),
    -- From one OID to the next in the index, over all backups that have it.
    had (database, oid) AS (
        SELECT d.name, (SELECT b.database_oid FROM pgbackup.backups b
                         WHERE b.database = d.name AND b.status = 'completed' AND b.database_oid IS NOT NULL
                         ORDER BY b.database_oid LIMIT 1) FROM d
        UNION ALL
        SELECT h.database, (SELECT b.database_oid FROM pgbackup.backups b
                             WHERE b.database = h.database AND b.status = 'completed' AND b.database_oid IS NOT NULL AND b.database_oid > h.oid
                             ORDER BY b.database_oid LIMIT 1) FROM had h WHERE h.oid IS NOT NULL)
    SELECT n.database,
           format(CASE WHEN n.count = 1
                       THEN '%1$s backup of a former database of this name is kept until you decide, backup %2$s of %3$s: SELECT pgbackup.adopt_database(%4$L) if it is the same database, pgbackup.delete(id) or pgbackup.pin(id) if not'
                       ELSE '%1$s backups of a former database of this name are kept until you decide, the newest is backup %2$s of %3$s: SELECT pgbackup.adopt_database(%4$L) if it is the same database, pgbackup.delete(id) or pgbackup.pin(id) if not' END,
                  n.count, n.newest, to_char((SELECT b.finished_at FROM pgbackup.backups b WHERE b.id = n.newest), 'YYYY-MM-DD HH24:MI TZ'), n.database)
      FROM (SELECT f.database, sum(c.count) AS count, max(c.newest) AS newest
              FROM (SELECT h.* FROM had h WHERE h.oid IS NOT NULL AND (h.database, h.oid) NOT IN (SELECT p.database, p.oid FROM present p)) AS f,
                   LATERAL (SELECT count(*), max(b.id) AS newest FROM pgbackup.backups b
                             WHERE b.database = f.database AND b.database_oid = f.oid AND b.status = 'completed' AND NOT b.pinned
                               AND b.system_identifier = ANY ((SELECT i.system_identifiers FROM pgbackup.instance i)::text[])) AS c
             GROUP BY f.database) AS n
     WHERE n.count > 0
$$;
COMMENT ON FUNCTION pgbackup._former_problems(name[]) IS
    'internal: databases that have backups of a former database of their name';

CREATE FUNCTION pgbackup.adopt_database(database name, always boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    present oid[];
    former oid[];
    adopted bigint;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('adopt the backups of former databases "%s"%s', database, CASE WHEN always THEN ', always' END));
    PERFORM pgbackup._require_delete('adopt backups of a former database', 'Retention can delete them then.');
    IF database IS NULL THEN
        RAISE EXCEPTION 'database must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'SELECT datname FROM pg_database shows all.';
    END IF;
    PERFORM pgbackup._check_flag('always', always);
    present := ARRAY(SELECT p.oid FROM pgbackup._present_oids(ARRAY[database]) AS p);
    IF cardinality(present) = 0 AND NOT always AND NOT EXISTS (SELECT FROM pgbackup.backups b WHERE b.database = database) THEN
        RAISE EXCEPTION 'database "%" does not exist', database
            USING ERRCODE = 'invalid_catalog_name',
                  DETAIL = 'There are no backups of it, either.',
                  HINT = 'SELECT datname FROM pg_database shows those that do.';
    END IF;
    SELECT array_agg(DISTINCT b.database_oid), count(*) FILTER (WHERE b.status = 'completed') INTO former, adopted
      FROM pgbackup.backups b, pgbackup.instance i
     WHERE b.database = database AND b.status IN ('completed', 'expired') AND b.database_oid <> ALL (present)
       AND b.system_identifier = ANY (i.system_identifiers);
    IF former IS NOT NULL THEN
        PERFORM pgbackup._join_oids(database, present || former);
    END IF;
    IF always THEN
        INSERT INTO pgbackup.recreated_databases (database) VALUES (database) ON CONFLICT ON CONSTRAINT recreated_databases_pkey DO NOTHING;
    ELSE
        DELETE FROM pgbackup.recreated_databases r WHERE r.database = database;
    END IF;
    PERFORM pgbackup._wake_launcher();
    RETURN adopted;
END $$;
COMMENT ON FUNCTION pgbackup.adopt_database(name, boolean) IS
    'says that a database which was dropped and created anew, or has its name from another one, is the same one as before: retention counts the backups of former databases of its name as its own again, a minute later. With always this holds for every other one to come, until it is called without. Returns how many backups that concerns now';
