-- The extension is made, every object of it is explained, and nothing of it is for everyone.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pgbackup;
RESET client_min_messages;
CREATE EXTENSION pgbackup;

SELECT count(*) AS objects_without_comment
  FROM (SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
         WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pgbackup'
           AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)) o
 WHERE obj_description(o.objid, (SELECT relname FROM pg_class WHERE oid = o.classid)) IS NULL;

SELECT a.attrelid::regclass, a.attname AS column_without_comment
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'pgbackup'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
   AND col_description(a.attrelid, a.attnum) IS NULL;

SELECT p.oid::regprocedure AS function_for_public
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
 WHERE p.pronamespace = 'pgbackup'::regnamespace AND x.grantee = 0;
SELECT c.oid::regclass AS relation_for_public
  FROM pg_class c, aclexplode(c.relacl) x
 WHERE c.relnamespace = 'pgbackup'::regnamespace AND x.grantee = 0;

-- Whoever runs as the owner looks names up in places nobody else can write to.
SELECT p.oid::regprocedure AS definer_without_search_path
  FROM pg_proc p
 WHERE p.pronamespace = 'pgbackup'::regnamespace AND p.prosecdef
   AND NOT coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false);

SELECT pgbackup.launcher_pid() IS NOT NULL AS launcher_runs;
