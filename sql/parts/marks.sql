--
-- What people and verifications have said of backups, for import() after the catalog was lost. A manifest is written
-- once; so this is in dumps of the home database, which the rows of backups are not, and in the storage, in an object
-- beside the manifest (src/core/manifest/marks.h, src/pg/marks.cpp)
--

CREATE TABLE pgbackup.marks (
    file_name      text NOT NULL,
    checksum       text NOT NULL,
    pinned         boolean NOT NULL,
    verified_at    timestamptz,
    verified_level text,
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (file_name, checksum)
);
SELECT pg_extension_config_dump('pgbackup.marks', '');
COMMENT ON TABLE pgbackup.marks IS 'which backups are or were pinned or verified: dumps of the home database hold it, marks.json in each backup''s folder has its row, and pgbackup.import() takes the newer one of the two';
COMMENT ON COLUMN pgbackup.marks.file_name IS 'folder of the backup within its storage';
COMMENT ON COLUMN pgbackup.marks.checksum IS 'SHA-256 of its manifest';
COMMENT ON COLUMN pgbackup.marks.pinned IS 'as in pgbackup.backups';
COMMENT ON COLUMN pgbackup.marks.verified_at IS 'as in pgbackup.backups';
COMMENT ON COLUMN pgbackup.marks.verified_level IS 'as in pgbackup.backups';
COMMENT ON COLUMN pgbackup.marks.changed_at IS 'when that was last changed';

-- Not in dumps: a copy of the home database has nothing to say in the storage.
CREATE TABLE pgbackup.unstored_marks (
    run_id     bigint PRIMARY KEY,
    storage    text NOT NULL,
    file_name  text NOT NULL,
    checksum   text NOT NULL,
    changed_at timestamptz NOT NULL,
    attempts   int NOT NULL DEFAULT 0,
    message    text,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (file_name, checksum) REFERENCES pgbackup.marks (file_name, checksum) ON DELETE CASCADE
);
CREATE INDEX unstored_marks_due ON pgbackup.unstored_marks (not_before);
CREATE INDEX unstored_marks_of_backup ON pgbackup.unstored_marks (checksum);
COMMENT ON TABLE pgbackup.unstored_marks IS 'rows of pgbackup.marks that the launcher is to write to storages; a row stays until that has worked';
COMMENT ON COLUMN pgbackup.unstored_marks.run_id IS 'number of the backup or, for the storage of a copy, of the copy';
COMMENT ON COLUMN pgbackup.unstored_marks.storage IS 'storage';
COMMENT ON COLUMN pgbackup.unstored_marks.file_name IS 'folder within the storage';
COMMENT ON COLUMN pgbackup.unstored_marks.checksum IS 'SHA-256 of the manifest there';
COMMENT ON COLUMN pgbackup.unstored_marks.changed_at IS 'as in pgbackup.marks';
COMMENT ON COLUMN pgbackup.unstored_marks.attempts IS 'how often it has failed';
COMMENT ON COLUMN pgbackup.unstored_marks.message IS 'why the last attempt failed';
COMMENT ON COLUMN pgbackup.unstored_marks.not_before IS 'when it is tried next';

CREATE FUNCTION pgbackup._queue_marks(backup_id bigint, only_copy bigint DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- One that waits after a failure goes on waiting.
    INSERT INTO pgbackup.unstored_marks (run_id, storage, file_name, checksum, changed_at)
    SELECT p.run_id, p.storage, m.file_name, m.checksum, m.changed_at
      FROM pgbackup.backups b
      JOIN pgbackup.marks m ON m.file_name = b.file_name AND m.checksum = b.checksum,
           LATERAL (SELECT b.id, b.storage
                    UNION ALL
                    SELECT c.id, c.storage FROM pgbackup.copies c WHERE c.backup_id = b.id AND c.status = 'completed') AS p (run_id, storage)
     WHERE b.id = $1 AND b.status = 'completed' AND ($2 IS NULL OR p.run_id = $2)
    ON CONFLICT ON CONSTRAINT unstored_marks_pkey DO UPDATE
       SET storage = EXCLUDED.storage, file_name = EXCLUDED.file_name, checksum = EXCLUDED.checksum, changed_at = EXCLUDED.changed_at;
    PERFORM pgbackup._wake_launcher();
END $$;
COMMENT ON FUNCTION pgbackup._queue_marks(bigint, bigint) IS
    'internal: has what is known of a backup written to its storage and to those of its complete copies, or to that of one copy alone';

CREATE FUNCTION pgbackup._queue_marks_in(storage text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._queue_marks(b.id)
       FROM pgbackup.marks m JOIN pgbackup.backups b ON b.status = 'completed' AND b.file_name = m.file_name AND b.checksum = m.checksum
      WHERE pgbackup._is_same_storage(b.storage, $1)
         OR EXISTS (SELECT FROM pgbackup.copies c WHERE c.backup_id = b.id AND pgbackup._is_same_storage(c.storage, $1));
END $$;
COMMENT ON FUNCTION pgbackup._queue_marks_in(text) IS
    'internal: has what is known of all backups in a storage written there, after this server has got the right to do so';

CREATE FUNCTION pgbackup._mark() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- What stays in the storage may be imported once more.
        DELETE FROM pgbackup.marks m
         WHERE m.file_name = OLD.file_name AND m.checksum = OLD.checksum
           AND EXISTS (SELECT FROM pgbackup.removals r WHERE r.run_id = OLD.id);
    ELSIF NEW.status <> 'completed' THEN
        DELETE FROM pgbackup.marks m WHERE m.file_name = NEW.file_name AND m.checksum = NEW.checksum;
    ELSIF NEW.file_name IS NOT NULL AND NEW.checksum IS NOT NULL
          AND (OLD.status <> 'completed'
               OR (NEW.pinned, NEW.verified_at, NEW.verified_level) IS DISTINCT FROM (OLD.pinned, OLD.verified_at, OLD.verified_level)) THEN
        INSERT INTO pgbackup.marks AS m (file_name, checksum, pinned, verified_at, verified_level)
        VALUES (NEW.file_name, NEW.checksum, NEW.pinned, NEW.verified_at, NEW.verified_level)
        ON CONFLICT ON CONSTRAINT marks_pkey DO UPDATE
           SET pinned = excluded.pinned, verified_at = excluded.verified_at, verified_level = excluded.verified_level,
               changed_at = greatest(excluded.changed_at, m.changed_at + interval '1 microsecond');
        PERFORM pgbackup._queue_marks(NEW.id);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._mark() IS 'internal: keeps pgbackup.marks as the rows of completed backups are';

CREATE TRIGGER mark_change AFTER UPDATE OF pinned, verified_at, verified_level, status ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status = 'completed' OR NEW.pinned OR NEW.verified_at IS NOT NULL)
    EXECUTE FUNCTION pgbackup._mark();
CREATE TRIGGER mark_deletion AFTER DELETE ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status = 'completed') EXECUTE FUNCTION pgbackup._mark();

CREATE FUNCTION pgbackup._mark_copy() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgbackup._queue_marks(NEW.backup_id, NEW.id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._mark_copy() IS 'internal: a copy that is complete gets what is known of its backup, too';
CREATE TRIGGER mark_copy AFTER UPDATE OF status ON pgbackup.copies
    FOR EACH ROW WHEN (NEW.status = 'completed' AND OLD.status <> 'completed') EXECUTE FUNCTION pgbackup._mark_copy();

--
-- Writing them
--

CREATE FUNCTION pgbackup._in_utc(moment timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION pgbackup._in_utc(timestamptz) IS 'internal: a time as the objects in storages have it (RFC 3339)';

CREATE FUNCTION pgbackup._marks_to_store(storage text, due timestamptz, most int) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH u AS (
        SELECT w.run_id, w.file_name, w.checksum FROM pgbackup.unstored_marks w
         WHERE w.storage = $1 AND w.not_before <= $2 ORDER BY w.not_before LIMIT $3 FOR UPDATE SKIP LOCKED)
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', u.run_id, 'file_name', m.file_name, 'checksum', m.checksum,
               'pinned', m.pinned, 'verified_at', pgbackup._in_utc(m.verified_at), 'verified_level', m.verified_level,
               'changed_at', pgbackup._in_utc(m.changed_at))), '[]')
      FROM u JOIN pgbackup.marks m ON m.file_name = u.file_name AND m.checksum = u.checksum
$$;
COMMENT ON FUNCTION pgbackup._marks_to_store(text, timestamptz, int) IS 'internal: the member "marks" of a job that writes to this storage';

CREATE FUNCTION pgbackup._settle_marks(run_id bigint, answer jsonb, why text) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    place text;
    reason text;
    has_stored boolean;
    was_failing boolean;
    failures bigint;
BEGIN
    SELECT u.storage INTO place FROM pgbackup.unstored_marks u WHERE u.run_id = $1;
    SELECT coalesce(bool_or(t.message IS NULL), false), coalesce(min(t.message), answer->>'message', why, 'the agent ended unexpectedly')
      INTO has_stored, reason
      FROM jsonb_to_recordset(answer->'marks') AS t (message text);
    -- Not those that have changed meanwhile, or are just changing.
    DELETE FROM pgbackup.unstored_marks d USING (
        SELECT u.run_id FROM jsonb_to_recordset(answer->'marks') AS t (id bigint, changed_at timestamptz, message text)
          JOIN pgbackup.unstored_marks u ON u.run_id = t.id
         WHERE t.message IS NULL AND u.changed_at = t.changed_at FOR UPDATE OF u SKIP LOCKED) AS stored
     WHERE d.run_id = stored.run_id;
    SELECT EXISTS (SELECT FROM pgbackup.unstored_marks u WHERE u.storage = place AND u.attempts > 0) INTO was_failing;
    -- When nothing at all could be stored, whatever else waits for this storage waits with it.
    UPDATE pgbackup.unstored_marks w
       SET attempts = w.attempts + 1, message = coalesce(f.message, reason), not_before = pgbackup._next_attempt(w.attempts)
      FROM (SELECT u.run_id, t.message FROM pgbackup.unstored_marks u
              LEFT JOIN jsonb_to_recordset(answer->'marks') AS t (id bigint, message text) ON t.id = u.run_id
             WHERE t.message IS NOT NULL OR (NOT has_stored AND u.storage = place AND u.not_before <= clock_timestamp())
               FOR UPDATE OF u SKIP LOCKED) AS f
     WHERE w.run_id = f.run_id;
    GET DIAGNOSTICS failures = ROW_COUNT;
    -- It works again.
    IF has_stored THEN
        UPDATE pgbackup.unstored_marks w SET not_before = clock_timestamp()
          FROM (SELECT u.run_id FROM pgbackup.unstored_marks u
                 WHERE u.storage = place AND u.not_before > clock_timestamp()
                   AND u.run_id NOT IN (SELECT t.id FROM jsonb_to_recordset(answer->'marks') AS t (id bigint))
                   FOR UPDATE SKIP LOCKED) AS waiting
         WHERE w.run_id = waiting.run_id;
    END IF;
    RETURN CASE WHEN failures > 0 AND NOT was_failing
                THEN format('pins and verifications of backups could not be written to %s: %s', pgbackup._storage_place(place), reason) END;
END $$;
COMMENT ON FUNCTION pgbackup._settle_marks(bigint, jsonb, text) IS
    'internal: what became of a job that writes marks, whose first row this was; returns what is to be logged, null for nothing';

--
-- Taking them over
--

CREATE FUNCTION pgbackup._stored_marks(entry jsonb) RETURNS pgbackup.marks
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told constant jsonb := entry->'marks';
    found pgbackup.marks;
BEGIN
    IF jsonb_typeof(told) = 'object' THEN
        found := ROW (entry->>'file_name', entry->>'checksum', (told->>'pinned')::boolean, (told->>'verified_at')::timestamptz,
                      told->>'verified_level', (told->>'changed_at')::timestamptz);
    END IF;
    RETURN found;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._stored_marks(jsonb) IS 'internal: what the storage says of a backup that is imported; null for nothing';

CREATE FUNCTION pgbackup._newest_marks(entry jsonb) RETURNS pgbackup.marks
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.* FROM (SELECT m.* FROM pgbackup.marks m WHERE m.file_name = $1->>'file_name' AND m.checksum = $1->>'checksum'
                     UNION ALL
                     SELECT s.* FROM pgbackup._stored_marks($1) AS s WHERE s.changed_at IS NOT NULL) AS k
     ORDER BY k.changed_at DESC LIMIT 1
$$;
COMMENT ON FUNCTION pgbackup._newest_marks(jsonb) IS 'internal: what is known of a backup that is imported, from here or from its storage; null for nothing';

CREATE FUNCTION pgbackup._take_marks(backup_id bigint, entry jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known constant pgbackup.marks := pgbackup._newest_marks(entry);
BEGIN
    IF known.changed_at IS NULL THEN
        RETURN;
    ELSIF known.changed_at = (pgbackup._stored_marks(entry)).changed_at THEN
        INSERT INTO pgbackup.marks AS m SELECT known.*
        ON CONFLICT ON CONSTRAINT marks_pkey DO UPDATE
           SET pinned = excluded.pinned, verified_at = excluded.verified_at, verified_level = excluded.verified_level,
               changed_at = excluded.changed_at;
    ELSE
        PERFORM pgbackup._queue_marks(backup_id);
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._take_marks(bigint, jsonb) IS 'internal: makes pgbackup.marks and the storage agree about a backup that has been imported';

CREATE FUNCTION pgbackup._warn_marks(storage text, entry jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE WARNING 'marks.json of backup % in % was ignored: %', quote_ident(entry->>'file_name'), pgbackup._storage_place(storage),
            entry->>'marks_ignored'
        USING DETAIL = 'The backup was imported without what that object says of pins and verifications.',
              HINT = 'Find out who wrote it. pgbackup.pin() and pgbackup.verify() write it anew.';
END $$;
COMMENT ON FUNCTION pgbackup._warn_marks(text, jsonb) IS 'internal: warns that the marks of an imported backup are not believed';
