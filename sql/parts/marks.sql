--
-- What people and verifications have said of backups, for import() after the catalog was lost. A manifest is written once,
-- and whoever writes to the storage could forge what lies beside it; so this is in dumps of the home database, which
-- the rows of backups are not.
--

CREATE TABLE pgbackup.marks (
    file_name      text NOT NULL,
    checksum       text NOT NULL,
    pinned         boolean NOT NULL,
    verified_at    timestamptz,
    verified_level text,
    PRIMARY KEY (file_name, checksum)
);
SELECT pg_extension_config_dump('pgbackup.marks', '');
COMMENT ON TABLE pgbackup.marks IS 'which backups are pinned or verified: dumps of the home database hold it, and pgbackup.import() takes it from here';
COMMENT ON COLUMN pgbackup.marks.file_name IS 'folder of the backup within its storage';
COMMENT ON COLUMN pgbackup.marks.checksum IS 'SHA-256 of its manifest';
COMMENT ON COLUMN pgbackup.marks.pinned IS 'as in pgbackup.backups';
COMMENT ON COLUMN pgbackup.marks.verified_at IS 'as in pgbackup.backups';
COMMENT ON COLUMN pgbackup.marks.verified_level IS 'as in pgbackup.backups';

CREATE FUNCTION pgbackup._mark() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- What stays in the storage may be imported once more.
        DELETE FROM pgbackup.marks m
         WHERE m.file_name = OLD.file_name AND m.checksum = OLD.checksum
           AND EXISTS (SELECT FROM pgbackup.removals r WHERE r.run_id = OLD.id);
    ELSIF NEW.status <> 'completed' OR NOT NEW.pinned AND NEW.verified_at IS NULL THEN
        DELETE FROM pgbackup.marks m WHERE m.file_name = NEW.file_name AND m.checksum = NEW.checksum;
    ELSIF NEW.file_name IS NOT NULL AND NEW.checksum IS NOT NULL THEN
        INSERT INTO pgbackup.marks AS m VALUES (NEW.file_name, NEW.checksum, NEW.pinned, NEW.verified_at, NEW.verified_level)
        ON CONFLICT ON CONSTRAINT marks_pkey DO UPDATE
           SET pinned = excluded.pinned, verified_at = excluded.verified_at, verified_level = excluded.verified_level;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION pgbackup._mark() IS 'internal: keeps pgbackup.marks as the rows of completed backups are';

CREATE TRIGGER mark_change AFTER UPDATE OF pinned, verified_at, verified_level, status ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.status = 'completed' OR NEW.pinned OR NEW.verified_at IS NOT NULL)
    EXECUTE FUNCTION pgbackup._mark();
CREATE TRIGGER mark_deletion AFTER DELETE ON pgbackup.backups
    FOR EACH ROW WHEN (OLD.pinned OR OLD.verified_at IS NOT NULL) EXECUTE FUNCTION pgbackup._mark();

CREATE FUNCTION pgbackup._take_marks(backup_id bigint) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    UPDATE pgbackup.backups b
       SET pinned = b.pinned OR m.pinned, verified_at = m.verified_at, verified_level = m.verified_level
      FROM pgbackup.marks m WHERE b.id = $1 AND m.file_name = b.file_name AND m.checksum = b.checksum
$$;
COMMENT ON FUNCTION pgbackup._take_marks(bigint) IS 'internal: what is known of a backup that has been imported';
