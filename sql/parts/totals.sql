--
-- How many backups there are, counted once, so that reading it costs the same however long the history is.
--
-- A change of a backup leaves a mark of its database. What is marked, readers count for themselves, so the numbers
-- are right at any moment; the launcher counts it for all and takes the mark away (src/pg/totals.cpp). Marks are
-- only added by transactions, and taken away once they are committed, so none waits for another one.
--

CREATE TABLE pgbackup._totals (
    database     name PRIMARY KEY,
    completed    bigint NOT NULL,
    failed       bigint NOT NULL,
    cancelled    bigint NOT NULL,
    expired      bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    storage_used jsonb NOT NULL
);
COMMENT ON TABLE pgbackup._totals IS 'internal: the backups of each database that have ended, but for databases in _changes';
COMMENT ON COLUMN pgbackup._totals.database IS 'database';
COMMENT ON COLUMN pgbackup._totals.completed IS 'backups that there are';
COMMENT ON COLUMN pgbackup._totals.failed IS 'backups that failed';
COMMENT ON COLUMN pgbackup._totals.cancelled IS 'backups that were cancelled';
COMMENT ON COLUMN pgbackup._totals.expired IS 'backups that retention has given up';
COMMENT ON COLUMN pgbackup._totals.stored_bytes IS 'bytes of those that there are, without copies';
COMMENT ON COLUMN pgbackup._totals.storage_used IS 'bytes per storage, copies included';

CREATE TABLE pgbackup._changes (
    database    name NOT NULL,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (database, transaction)
);
COMMENT ON TABLE pgbackup._changes IS 'internal: databases whose backups have changed since they were counted';
COMMENT ON COLUMN pgbackup._changes.database IS 'database';
COMMENT ON COLUMN pgbackup._changes.transaction IS 'transaction that has changed them: those at the same time need not wait for one another';

CREATE FUNCTION pgbackup._count_backups(database name) RETURNS SETOF pgbackup._totals
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    WITH run AS MATERIALIZED (
        SELECT b.id, b.database, b.status, b.storage, b.file_size
          FROM pgbackup.backups b WHERE b.database = $1 AND b.status NOT IN ('pending', 'in_progress')),
    place AS (
        SELECT p.database, jsonb_object_agg(p.storage, p.bytes) AS used
          FROM (SELECT s.database, pgbackup._storage_place(s.storage) AS storage, sum(s.bytes) AS bytes
                  FROM (SELECT r.database, r.storage, sum(r.file_size) AS bytes FROM run r WHERE r.status = 'completed'
                         GROUP BY r.database, r.storage
                        UNION ALL
                        SELECT r.database, c.storage, c.file_size FROM run r JOIN pgbackup.copies c ON c.backup_id = r.id AND c.status = 'completed'
                         WHERE r.status = 'completed') AS s
                 GROUP BY s.database, pgbackup._storage_place(s.storage)) AS p
         GROUP BY p.database)
    SELECT n.*, coalesce(p.used, '{}')
      FROM (SELECT r.database, count(*) FILTER (WHERE r.status = 'completed'), count(*) FILTER (WHERE r.status = 'failed'),
                   count(*) FILTER (WHERE r.status = 'cancelled'), count(*) FILTER (WHERE r.status = 'expired'),
                   coalesce(sum(r.file_size) FILTER (WHERE r.status = 'completed'), 0)::bigint
              FROM run r GROUP BY r.database) AS n
      LEFT JOIN place p ON p.database = n.database
$$;
COMMENT ON FUNCTION pgbackup._count_backups(name) IS 'internal: counts the backups of a database; no row when none has ended';

CREATE FUNCTION pgbackup._current_totals() RETURNS SETOF pgbackup._totals
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT t.* FROM pgbackup._totals t WHERE t.database NOT IN (SELECT c.database FROM pgbackup._changes c)
    UNION ALL
    SELECT n.* FROM (SELECT DISTINCT c.database FROM pgbackup._changes c) AS d, LATERAL pgbackup._count_backups(d.database) AS n
$$;
COMMENT ON FUNCTION pgbackup._current_totals() IS 'internal: a row for each database of which a backup has ended';

CREATE FUNCTION pgbackup._recount(database name) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    -- Each statement sees what is committed when it begins: of a change whose mark goes here, the next one sees all.
    DELETE FROM pgbackup._changes c WHERE c.database = database;
    INSERT INTO pgbackup._totals AS t SELECT n.* FROM pgbackup._count_backups(database) AS n
    ON CONFLICT ON CONSTRAINT _totals_pkey DO UPDATE
       SET (completed, failed, cancelled, expired, stored_bytes, storage_used)
         = ROW (excluded.completed, excluded.failed, excluded.cancelled, excluded.expired, excluded.stored_bytes, excluded.storage_used)
     WHERE t.* IS DISTINCT FROM excluded.*;
    DELETE FROM pgbackup._totals t
     WHERE t.database = database
       AND NOT EXISTS (SELECT FROM pgbackup.backups b WHERE b.database = database AND b.status NOT IN ('pending', 'in_progress'));
END $$;
COMMENT ON FUNCTION pgbackup._recount(name) IS 'internal: counts the backups of a database anew; for the launcher alone';

CREATE FUNCTION pgbackup._recount_changed(most int) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed name;
    counted bigint := 0;
BEGIN
    FOR changed IN SELECT DISTINCT c.database FROM pgbackup._changes c LIMIT most LOOP
        PERFORM pgbackup._recount(changed);
        counted := counted + 1;
    END LOOP;
    RETURN counted;
END $$;
COMMENT ON FUNCTION pgbackup._recount_changed(int) IS
    'internal: counts the backups of databases anew that have changed, at most so many; returns how many';

CREATE FUNCTION pgbackup._note_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO pgbackup._changes (database) SELECT t.database FROM pgbackup._totals t ON CONFLICT DO NOTHING;
    ELSIF TG_TABLE_NAME = 'copies' THEN
        -- Without a backup, its deletion takes the copy along.
        INSERT INTO pgbackup._changes (database)
        SELECT b.database FROM pgbackup.backups b WHERE b.id = coalesce(NEW.backup_id, OLD.backup_id) ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO pgbackup._changes (database)
        SELECT d.name FROM (VALUES (NEW.database), (OLD.database)) AS d (name) WHERE d.name IS NOT NULL ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._note_change() IS 'internal: marks the database of a backup that has changed';

CREATE TRIGGER note_new AFTER INSERT ON pgbackup.backups
    FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'in_progress')) EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_change AFTER UPDATE ON pgbackup.backups
    FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'in_progress')
        AND (OLD.database, OLD.status, OLD.storage, OLD.file_size) IS DISTINCT FROM (NEW.database, NEW.status, NEW.storage, NEW.file_size))
    EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_deletion AFTER DELETE ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status NOT IN ('pending', 'in_progress')) EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_truncation AFTER TRUNCATE ON pgbackup.backups
    FOR EACH STATEMENT EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_new AFTER INSERT ON pgbackup.copies
    FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_change AFTER UPDATE ON pgbackup.copies
    FOR EACH ROW WHEN ('completed' IN (OLD.status, NEW.status)
        AND (OLD.status, OLD.storage, OLD.file_size) IS DISTINCT FROM (NEW.status, NEW.storage, NEW.file_size))
    EXECUTE FUNCTION pgbackup._note_change();
CREATE TRIGGER note_deletion AFTER DELETE ON pgbackup.copies
    FOR EACH ROW WHEN (OLD.status = 'completed') EXECUTE FUNCTION pgbackup._note_change();
