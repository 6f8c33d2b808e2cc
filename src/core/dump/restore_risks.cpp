#include "core/dump/restore_risks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/postgres/postgres_connection.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// pg_dump leaves them out.
constexpr const char* kInvalidIndexesSql = R"sql(
SELECT format('index %s is invalid, so no backup holds it', i.indexrelid::regclass)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.oid >= 16384
 ORDER BY i.indexrelid LIMIT $1::int)sql";

// Of functions in PL/pgSQL and SQL, since their texts can be read: not of those that set their
// search_path, nor of those whose text the server has taken apart. Bounded, since anybody can make
// functions and tables.
constexpr const char* kUnqualifiedSql = R"sql(
WITH used (classid, objid, proc) AS (
  SELECT DISTINCT d.classid, d.objid, d.refobjid FROM pg_depend d
   WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a')
     AND (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = d.objid)
          OR d.classid = 'pg_constraint'::regclass
             AND EXISTS (SELECT FROM pg_constraint c WHERE c.oid = d.objid AND c.contype = 'c')
          OR d.classid = 'pg_attrdef'::regclass
             AND EXISTS (SELECT FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                          WHERE f.oid = d.objid AND a.attgenerated <> '')
          OR d.classid = 'pg_rewrite'::regclass
             AND EXISTS (SELECT FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
                          WHERE r.oid = d.objid AND v.relkind = 'm'))
   LIMIT 1000
), function (oid, source) AS MATERIALIZED (
  SELECT p.oid, lower(left(p.prosrc, 20000)) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
   WHERE p.oid IN (SELECT proc FROM used) AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
     AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search\_path=%')
     AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
   LIMIT 200
), thing (name) AS MATERIALIZED (
  SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND c.relname ~ '^[a-z_][a-z0-9_]*$'
  UNION
  SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE p.oid >= 16384 AND n.nspname !~ '^pg_' AND p.proname ~ '^[a-z_][a-z0-9_]*$'
), found (oid, name) AS (
  SELECT DISTINCT ON (f.oid) f.oid, t.name FROM function f JOIN thing t
      ON strpos(f.source, t.name) > 0
     AND (f.source ~ format('\m(from|join|into|update)\s+(only\s+)?"?%s\M"?(?!\s*[.(])', t.name)
          OR f.source ~ format('(^|[^[:alnum:]_.$"])"?%s"?\s*\(', t.name)
             AND EXISTS (SELECT FROM pg_proc p WHERE p.proname = t.name AND p.oid >= 16384))
   ORDER BY f.oid, t.name
)
SELECT format('%s calls function %s, which names "%s" without its schema and sets no search_path',
              CASE u.classid WHEN 'pg_attrdef'::regclass
                   THEN (SELECT format('generated column %s of table %s', a.attname, a.attrelid::regclass)
                           FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                          WHERE f.oid = u.objid)
                   WHEN 'pg_rewrite'::regclass
                   THEN (SELECT format('materialized view %s', r.ev_class::regclass) FROM pg_rewrite r WHERE r.oid = u.objid)
                   ELSE pg_describe_object(u.classid, u.objid, 0) END,
              u.proc::regprocedure, found.name)
  FROM used u JOIN found ON found.oid = u.proc
 ORDER BY u.classid, u.objid LIMIT $1::int)sql";

}  // namespace

std::vector<std::string> FindRestoreRisks(const ConnectionSettings& settings,
                                          const Cancellation& cancellation) {
  PostgresConnection connection(settings, cancellation);
  connection.Execute("SET statement_timeout = 10000");
  std::vector<std::string> risks;
  for (const char* sql : {kInvalidIndexesSql, kUnqualifiedSql}) {
    const int room = kMostRisks - static_cast<int>(risks.size());
    const QueryResult rows = connection.Query(sql, {std::to_string(room)});
    for (int row = 0; row < rows.rows(); ++row) risks.push_back(rows.Text(row, 0));
  }
  return risks;
}

std::string ExtensionsInWords(const std::vector<std::string>& names) {
  return fmt::format("extension{} {}", names.size() == 1 ? "" : "s", QuotedList(names));
}

std::string BoundExtensionsInWords(const Requirements& requirements,
                                   const std::vector<std::string>& extensions) {
  std::vector<std::string> found;
  for (const NeededExtension& extension : requirements.extensions)
    if (std::find(extensions.begin(), extensions.end(), extension.name) != extensions.end())
      found.push_back(extension.name);
  return found.empty() ? "" : ExtensionsInWords(found);
}

}  // namespace pgbackup
