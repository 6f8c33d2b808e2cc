--
-- Settings in the server's files that have no effect
--
-- When the server starts with a value that pgbackup refuses, it takes the default for it and writes a warning to
-- the log: encryption that somebody has asked for would silently be off.

CREATE FUNCTION pgbackup._refused_settings() RETURNS TABLE (name text, place text, why text, is_unread boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH written AS (
        SELECT DISTINCT ON (lower(f.name)) lower(f.name) AS name, f.setting, f.error,
               format('%s:%s', f.sourcefile, f.sourceline) AS place
          FROM pg_file_settings f WHERE lower(f.name) LIKE 'pgbackup.%' ORDER BY lower(f.name), f.seqno DESC)
    SELECT w.name, w.place,
           CASE WHEN w.error IS NULL THEN 'the server has not read it yet' WHEN s.name IS NULL THEN 'there is no such setting'
                ELSE 'its value is invalid' END,
           w.error IS NULL
      FROM written w LEFT JOIN pg_settings s ON s.name = w.name
     -- One that needs a restart is also said not to be applied.
     WHERE w.error IS NOT NULL AND s.context IS DISTINCT FROM 'postmaster'
           -- Mended in the file only: what was refused is still off.
           OR w.error IS NULL AND w.setting <> '' AND s.setting = '' AND s.source = 'default' AND s.context <> 'postmaster'
$$;
COMMENT ON FUNCTION pgbackup._refused_settings() IS
    'internal: settings of pgbackup in the server''s configuration files that have no effect, where they are and why';

-- Without them what is stored would be protected less than somebody wants.
CREATE FUNCTION pgbackup._why_no_backup(OUT why text, OUT is_unread boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('setting "%s" in %s has no effect: %s', r.name, r.place, r.why), r.is_unread
      FROM pgbackup._refused_settings() AS r
     WHERE r.name = ANY ('{pgbackup.encryption_recipients,pgbackup.manifest_key_file,pgbackup.s3_object_lock_mode,'
                         'pgbackup.s3_object_lock_days,pgbackup.s3_sse,pgbackup.s3_sse_kms_key_id,pgbackup.s3_sse_c_key_file,'
                         'pgbackup.storage_copies}'::text[])
     ORDER BY r.is_unread, r.name LIMIT 1
$$;
COMMENT ON FUNCTION pgbackup._why_no_backup() IS
    'internal: why no backup is made now: a setting that protects backups is refused, or not read yet; nulls when none is';

CREATE FUNCTION pgbackup._check_settings() RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'setting', 'error', format('"%s" in %s has no effect: %s', r.name, r.place, r.why),
           'Correct the file and reload it (SELECT pg_reload_conf()).'
      FROM pgbackup._refused_settings() AS r ORDER BY r.name
$$;
COMMENT ON FUNCTION pgbackup._check_settings() IS 'internal: a row for each setting in a configuration file that has no effect';

CREATE FUNCTION pgbackup._check_passkey_setting() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    refused record;
BEGIN
    SELECT r.* INTO refused FROM pgbackup._refused_settings() AS r WHERE r.name = 'pgbackup.restore_passkey';
    IF FOUND THEN
        RAISE EXCEPTION 'setting "%" in % has no effect: %', refused.name, refused.place, refused.why
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Nothing is replaced without the passkey that the file asks for.',
                  HINT = 'Correct the file and reload it (SELECT pg_reload_conf()).';
    END IF;
END $$;
COMMENT ON FUNCTION pgbackup._check_passkey_setting() IS 'internal: an error when a configuration file has a passkey that is refused';
