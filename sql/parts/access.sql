--
-- Who may do what: three levels, each with all of the one before.
--

CREATE FUNCTION pgbackup._level_grants() RETURNS TABLE (level text, kind text, object text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH named (level, name) AS (
        SELECT 'viewer', unnest('{list,get,latest,wait,stats,health,launcher_pid,is_confined,schedule_status,retention_plan,dashboard,metrics_text,_metrics,_progress,_usual_duration,_sessions_of_backup,_run_state,_cron_words,_storage,_is_adopted}'::text[])
        UNION ALL
        SELECT 'operator', unnest('{create,run,verify,cancel,pin,check,contents,schedule,unschedule}'::text[])
        UNION ALL
        SELECT 'admin', unnest('{restore,run_restore,undo_restore,delete,copy,presign,cleanup,take_over_storage,adopt_schedules,adopt_database}'::text[]))
    SELECT n.level, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text
      FROM named n JOIN pg_proc p ON p.proname = n.name AND p.pronamespace = 'pgbackup'::regnamespace
    UNION ALL
    SELECT 'viewer', 'TABLE', c.oid::regclass::text
      FROM pg_class c WHERE c.relnamespace = 'pgbackup'::regnamespace AND c.relkind IN ('r', 'v')
       AND c.relname NOT LIKE E'\\_%'
$$;
COMMENT ON FUNCTION pgbackup._level_grants() IS 'internal: what each level adds to the one before';

CREATE FUNCTION pgbackup.grant_access(role name, level text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    levels constant text[] := '{viewer,operator,admin}';
    given record;
BEGIN
    PERFORM pgbackup._require_superuser('grant access to pgbackup');
    PERFORM pgbackup._check_choice('level', level, levels || '{none}');
    IF role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
        RAISE EXCEPTION 'role "%" does not exist', role
            USING ERRCODE = 'undefined_object', HINT = 'CREATE ROLE makes it.';
    END IF;
    -- From a higher level to a lower one, too.
    EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA pgbackup FROM %I', role);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA pgbackup FROM %I', role);
    EXECUTE format('REVOKE ALL ON SCHEMA pgbackup FROM %I', role);
    IF level = 'none' THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA pgbackup TO %I', role);
    FOR given IN SELECT g.* FROM pgbackup._level_grants() g
                  WHERE array_position(levels, g.level) <= array_position(levels, $2) LOOP
        EXECUTE format('GRANT %s ON %s %s TO %I', CASE given.kind WHEN 'TABLE' THEN 'SELECT' ELSE 'EXECUTE' END,
                       given.kind, given.object, role);
    END LOOP;
END $$;
COMMENT ON FUNCTION pgbackup.grant_access(name, text) IS
    'gives a role a level: viewer (reads the catalog, progress, statistics, health and the page), operator (also starts, verifies, cancels and pins backups, lists what is in them and has schedules of its own), admin (also restores, deletes, unpins, copies to another storage and makes URLs of backups, sets retention and changes the schedules of others), or none. Replaces the level it had. An admin can read and write every database, as a superuser can';
