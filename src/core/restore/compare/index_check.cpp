#include "core/restore/compare/index_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/dump/read_user_code.h"
#include "core/postgres/event_triggers.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/session_rights.h"

namespace pgbackup {
namespace {

// Where the extension is, quoted; creates it where it can, for this connection only.
std::optional<std::string> SchemaOfAmcheck(PostgresConnection& connection,
                                           const std::string& suffix) {
  constexpr const char* kSchemaSql =
      "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n "
      "ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'";
  const QueryResult present = connection.Query(kSchemaSql);
  if (present.rows() > 0) return present.Text(0, 0);
  if (!ReadSessionRights(connection).is_superuser ||
      connection.Query("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").rows() == 0)
    return std::nullopt;
  connection.Execute("BEGIN READ WRITE");  // which never ends, so that nothing is left of it
  DisableEventTriggers(connection);
  const std::string schema = "pgbackup_amcheck_" + suffix;
  connection.Execute(fmt::format("CREATE SCHEMA {}", schema));
  connection.Execute(fmt::format("CREATE EXTENSION amcheck SCHEMA {}", schema));
  return schema;
}

void CheckBTrees(const ConnectionSettings& settings, const std::string& suffix,
                 const Cancellation& cancellation) {
  PostgresConnection connection(settings, cancellation);
  connection.Execute("SET search_path = ''");  // as when the indexes were built
  const std::optional<std::string> amcheck = SchemaOfAmcheck(connection, suffix);
  if (!amcheck) return;
  try {
    // The very types of the arguments: where the schema is a user's, it may hold functions that fit
    // others better.
    connection.Query(fmt::format(
        "SELECT count({}.bt_index_check(c.oid::regclass, true)::text) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam "
        "WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisready AND i.indisvalid "
        "AND c.relpersistence <> 't' AND c.oid >= 16384",
        *amcheck));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDatabase) throw;
    throw Error(ErrorKind::kCorrupt, "an index of the restored database is damaged",
                error.message());
  }
}

// How a row of a table is looked up in an index by its own values.
struct Lookup {
  std::string index;  // for people
  std::string plan;   // what EXPLAIN calls it
  std::string table;  // SQL, as the rest
  std::string where;  // which rows it has, or nothing
  double rows = 0;    // about how many
  bool excludes = false;
  bool is_of_ranges = false;  // BRIN: each lookup may read the whole table
  // Of each column that is compared, or of the first one alone.
  std::vector<std::string> values, operators;
};

// The columns of an exclusion constraint with its operators; of any other index the first column,
// with one row for each operator by which a value may be found to be itself.
constexpr const char* kLookupsSql = R"(
SELECT format('%I.%I', n.nspname, x.relname), format('%I', x.relname), format('%I.%I', tn.nspname, t.relname),
       pg_get_expr(i.indpred, i.indrelid), greatest(t.reltuples, 1)::bigint, true,
       k.n, pg_get_indexdef(i.indexrelid, k.n::int, false), format('OPERATOR(%I.%s)', opn.nspname, o.oprname), false
  FROM pg_constraint c JOIN pg_index i ON i.indexrelid = c.conindid
  JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
  CROSS JOIN unnest(c.conexclop) WITH ORDINALITY AS k (operator, n)
  JOIN pg_operator o ON o.oid = k.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
 WHERE c.contype = 'x' AND x.relkind = 'i'
UNION ALL
SELECT format('%I.%I', n.nspname, x.relname), format('%I', x.relname), format('%I.%I', tn.nspname, t.relname),
       pg_get_expr(i.indpred, i.indrelid), greatest(t.reltuples, 1)::bigint, false,
       1, pg_get_indexdef(i.indexrelid, 1, false), format('OPERATOR(%I.%s)', opn.nspname, o.oprname), m.amname = 'brin'
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_opclass p ON p.oid = i.indclass[0] JOIN pg_am m ON m.oid = p.opcmethod
  JOIN pg_amop a ON a.amopfamily = p.opcfamily AND a.amoppurpose = 's'
   AND a.amoplefttype = p.opcintype AND a.amoprighttype = p.opcintype
  JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace opn ON opn.oid = o.oprnamespace
 WHERE x.relkind = 'i' AND i.indexrelid = ANY ($1::oid[]) AND NOT i.indisexclusion
   AND o.oprname IN ('=', '~=', '@>', '<@', '&&', '%')
ORDER BY 1, 7, 9)";

std::vector<Lookup> ListLookups(PostgresConnection& connection) {
  const UserCode code = ReadUserCode(connection);
  const QueryResult rows =
      connection.Query(kLookupsSql, {fmt::format("{{{}}}", fmt::join(code.indexes, ","))});
  std::vector<Lookup> lookups;
  for (int row = 0; row < rows.rows(); ++row) {
    if (rows.Integer(row, 6) == 1) {
      Lookup lookup;
      lookup.index = rows.Text(row, 0);
      lookup.plan = rows.Text(row, 1);
      lookup.table = rows.Text(row, 2);
      if (!rows.IsNull(row, 3)) lookup.where = fmt::format(" AND {}", rows.Text(row, 3));
      lookup.rows = static_cast<double>(rows.Integer(row, 4));
      lookup.excludes = rows.Flag(row, 5);
      lookup.is_of_ranges = rows.Flag(row, 9);
      lookups.push_back(std::move(lookup));
    }
    lookups.back().values.push_back(rows.Text(row, 7));
    lookups.back().operators.push_back(rows.Text(row, 8));
  }
  return lookups;
}

// A table that does not belong to a superuser. A confined session evaluates what is written into it
// without lending a superuser's rights: the lookups contain expressions of the index's owner, which
// reach domains and functions of others (confined_queries.cpp).
constexpr const char* kResult = "pg_temp.pgbackup_lookup";

void MakeResult(PostgresConnection& connection) {
  connection.Execute(
      fmt::format("CREATE TEMP TABLE {} (lost bigint, conflicting bigint)", kResult));
  if (ReadSessionRights(connection).is_superuser)
    connection.Execute(fmt::format("ALTER TABLE {} OWNER TO pg_monitor", kResult));
}

// Writes one row: how many rows of the sample the index does not find, and how many that conflict
// with another one. Three rows found tell as much as more.
std::string SqlOf(const Lookup& lookup) {
  const double sample = lookup.excludes ? 1000 : lookup.is_of_ranges ? 3 : 100;
  std::string values, own, found;
  for (size_t i = 0; i < lookup.values.size(); ++i) {
    values += fmt::format(", {} AS v{}", lookup.values[i], i);
    own += fmt::format("{}v{} {} v{}", i == 0 ? "" : " AND ", i, lookup.operators[i], i);
    found += fmt::format(" AND {} {} s.v{}", lookup.values[i], lookup.operators[i], i);
  }
  const std::string rows =
      fmt::format("FROM ONLY {} t WHERE true{}{}", lookup.table, lookup.where, found);
  const std::string itself =
      fmt::format("(SELECT count(*) FROM (SELECT {} AND t.ctid = s.id LIMIT 1) f)", rows);
  const std::string all = fmt::format("(SELECT count(*) FROM (SELECT {} LIMIT 3) f)", rows);
  return fmt::format(
      "INSERT INTO {} WITH s AS MATERIALIZED (SELECT * FROM (SELECT ctid AS id{} FROM ONLY {} "
      "TABLESAMPLE "
      "BERNOULLI ({}) "
      "WHERE true{} LIMIT {}) s WHERE {}) "
      "SELECT count(*) FILTER (WHERE n = 0), count(*) FILTER (WHERE n > 1) FROM (SELECT {} AS n "
      "FROM s) c RETURNING lost, conflicting",
      kResult, values, lookup.table, std::min(100.0, 200.0 * sample / lookup.rows), lookup.where,
      2 * sample, own, lookup.excludes ? all : itself);
}

// What a lookup itself fails with says nothing of the index.
template <typename Work>
void UnlessItFails(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDatabase && error.kind() != ErrorKind::kDenied) throw;
  }
}

bool UsesIndex(PostgresConnection& connection, const std::string& sql, const Lookup& lookup) {
  const QueryResult plan = connection.Query("EXPLAIN (COSTS off) " + sql);
  for (int row = 0; row < plan.rows(); ++row) {
    const std::string line = plan.Text(row, 0);
    if (line.find("Index") != std::string::npos && line.find(lookup.plan) != std::string::npos)
      return true;
  }
  return false;
}

void Compare(PostgresConnection& connection, const Lookup& lookup) {
  const std::string sql = SqlOf(lookup);
  if (!UsesIndex(connection, sql, lookup)) return;
  const QueryResult counts = connection.Query(sql);
  if (counts.Integer(0, 0) > 0)
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("index {} of the restored database does not find rows of its table",
                    lookup.index),
        "The values of these rows are not those that the index was built with.",
        "Make the functions that the index calls depend on nothing but their arguments, then "
        "REINDEX in the source database and make another backup.");
  if (lookup.excludes && counts.Integer(0, 1) > 0)
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("rows of table {} in the restored database violate the exclusion "
                    "constraint of index {}",
                    lookup.table, lookup.index),
        "",
        "Find the rows that conflict in the source database, which must have them, too; make "
        "another backup when they are gone.");
}

void LookUp(PostgresConnection& connection) {
  const std::vector<Lookup> lookups = ListLookups(connection);
  if (lookups.empty()) return;
  MakeResult(connection);
  for (const char* setting :
       {"enable_seqscan = off", "enable_tidscan = off", "statement_timeout = '10min'",
        "max_parallel_workers_per_gather = 0", "jit = off"})
    connection.Execute(fmt::format("SET {}", setting));
  for (const Lookup& lookup : lookups) UnlessItFails([&] { Compare(connection, lookup); });
}

}  // namespace

void CheckIndexes(const ConnectionSettings& settings, const std::string& suffix,
                  const Cancellation& cancellation) {
  PostgresConnection connection(settings, cancellation);
  connection.Execute("SET search_path = ''");  // as when the indexes were built
  const QueryResult invalid = connection.Query(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i "
      "JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE NOT i.indisvalid AND c.relkind = 'i' LIMIT 1");
  if (invalid.rows() != 0)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("index {} of the restored database is not valid", invalid.Text(0, 0)));
  CheckBTrees(settings, suffix, cancellation);
  UnlessItFails([&] { LookUp(connection); });
}

}  // namespace pgbackup
