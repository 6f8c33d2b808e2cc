#include "core/dump/read_part_needs.h"

namespace pgbackup {
namespace {

// Constraints with an index, and what that needs beside its table. Of what is in an extension, the
// extension.
constexpr const char* kConstraintsSql = R"(
SELECT DISTINCT c.oid, (CASE WHEN e.oid IS NULL THEN d.refclassid ELSE e.refclassid END)::oid,
       coalesce(e.refobjid, d.refobjid)
  FROM pg_constraint c
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.conindid
   AND d.refobjid >= 16384 AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass,
         'pg_opclass'::regclass, 'pg_type'::regclass, 'pg_collation'::regclass)
  LEFT JOIN (SELECT e.oid, classid, objid, refclassid, refobjid FROM pg_depend m
               JOIN pg_extension e ON e.oid = m.refobjid
              WHERE m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e') e
    ON e.classid = d.refclassid AND e.objid = d.refobjid
 WHERE c.contype IN ('p', 'u', 'x'))";

// What is in an extension and has privileges of its own, or a label; the tag is pg_dump's.
constexpr const char* kOfExtensionsSql = R"(
WITH thing (class, oid, part, schema, tag, acl) AS (
  SELECT 'pg_type'::regclass, oid, 0, typnamespace, 'TYPE ' || quote_ident(typname), typacl FROM pg_type
  UNION ALL SELECT 'pg_proc'::regclass, oid, 0, pronamespace,
      concat(CASE prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END, quote_ident(proname), '(',
             (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.place)
                FROM unnest(proargtypes) WITH ORDINALITY AS a (type, place)), ')'), proacl
    FROM pg_proc
  UNION ALL SELECT 'pg_class'::regclass, oid, 0, relnamespace,
      CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || quote_ident(relname), relacl
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, relnamespace,
      format('COLUMN %I.%I', relname, attname), attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attacl IS NOT NULL
  UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, 0, 'SCHEMA ' || quote_ident(nspname), nspacl FROM pg_namespace
  UNION ALL SELECT 'pg_language'::regclass, oid, 0, 0, 'LANGUAGE ' || quote_ident(lanname), lanacl FROM pg_language
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, 0,
      'FOREIGN DATA WRAPPER ' || quote_ident(fdwname), fdwacl FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, 0,
      'FOREIGN SERVER ' || quote_ident(srvname), srvacl FROM pg_foreign_server
)
SELECT d.refobjid, n.nspname, t.tag
  FROM thing t
  JOIN pg_depend d ON d.classid = t.class AND d.objid = t.oid AND d.deptype = 'e'
   AND d.refclassid = 'pg_extension'::regclass AND d.refobjid >= 16384
  LEFT JOIN pg_namespace n ON n.oid = t.schema
  LEFT JOIN pg_init_privs i ON i.classoid = t.class AND i.objoid = t.oid AND i.objsubid = t.part
 WHERE t.acl IS DISTINCT FROM i.initprivs
    OR EXISTS (SELECT FROM pg_seclabel l WHERE l.classoid = t.class AND l.objoid = t.oid AND l.objsubid = t.part)
 ORDER BY 1, 2, 3)";

}  // namespace

PartNeeds ReadPartNeeds(PostgresConnection& connection) {
  PartNeeds needs;
  const QueryResult constraints = connection.Query(kConstraintsSql);
  for (int row = 0; row < constraints.rows(); ++row)
    needs.constraints[static_cast<uint32_t>(constraints.Integer(row, 0))].insert(
        {static_cast<uint32_t>(constraints.Integer(row, 1)),
         static_cast<uint32_t>(constraints.Integer(row, 2))});
  const QueryResult entries = connection.Query(kOfExtensionsSql);
  for (int row = 0; row < entries.rows(); ++row)
    needs.of_extensions.push_back({static_cast<uint32_t>(entries.Integer(row, 0)),
                                   entries.IsNull(row, 1) ? "" : entries.Text(row, 1),
                                   entries.Text(row, 2)});
  return needs;
}

}  // namespace pgbackup
