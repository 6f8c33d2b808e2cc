#include "core/restore/target/home_catalog.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/postgres/event_triggers.h"
#include "core/postgres/quoting.h"
#include "core/restore/load/session_end.h"

namespace pgbackup {
namespace {

// The tables, the columns of each that an INSERT can fill, and those of its primary key.
constexpr const char* kTablesSql = R"(
SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (i.indkey))
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
  JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = ''
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
 WHERE e.extname = 'pgbackup' AND d.deptype = 'e' AND c.relkind = 'r'
 GROUP BY c.relname ORDER BY c.relname)";

constexpr const char* kSequencesSql = R"(
SELECT c.relname FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
  JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
 WHERE e.extname = 'pgbackup' AND d.deptype = 'e' AND c.relkind = 'S' ORDER BY c.relname)";

struct CatalogTable {
  std::string name;     // with its schema, quoted
  std::string columns;  // a list
  std::string key;      // a list, empty when there is none
};

std::string InSchema(const std::string& name) {
  return QuoteQualifiedName({"pgbackup", name});
}

std::vector<CatalogTable> TablesOf(PostgresConnection& connection) {
  const QueryResult rows = connection.Query(kTablesSql);
  std::vector<CatalogTable> tables;
  for (int row = 0; row < rows.rows(); ++row)
    tables.push_back({InSchema(rows.Text(row, 0)), rows.Text(row, 1), rows.Text(row, 2)});
  return tables;
}

// Rows of the query `what` into `into`, a table with a list of columns.
void Stream(PostgresConnection& from, const std::string& what, PostgresConnection& to,
            const std::string& into) {
  to.BeginCopy(fmt::format("COPY {} FROM STDIN", into));
  from.CopyOut(fmt::format("COPY ({}) TO STDOUT", what),
               [&](std::span<const std::byte> row) { to.WriteCopy(row); });
  to.EndCopy();
}

// Each of the two databases may have a style of its own, in which the other one cannot read values.
void UseOneStyle(PostgresConnection& from, PostgresConnection& to) {
  for (PostgresConnection* connection : {&from, &to})
    for (const char* sql : {"SET DateStyle = ISO", "SET IntervalStyle = postgres"})
      connection->Execute(sql);
}

// Neither triggers nor foreign keys: the rows are as they were.
void BeginWithoutTriggers(PostgresConnection& to) {
  to.Execute("BEGIN READ WRITE");
  to.Execute("SET LOCAL session_replication_role = replica");
}

void CopyWhole(PostgresConnection& from, PostgresConnection& to, const CatalogTable& table) {
  to.Execute(fmt::format("DELETE FROM {}", table.name));
  Stream(from, fmt::format("SELECT {} FROM {}", table.columns, table.name), to,
         fmt::format("{} ({})", table.name, table.columns));
}

// Rows whose keys are gone are gone; those written since are taken again.
void CopyChanges(PostgresConnection& from, PostgresConnection& to, const CatalogTable& table,
                 const std::string& since) {
  to.Execute(
      fmt::format("CREATE TEMPORARY TABLE present ON COMMIT DROP AS "
                  "SELECT {} FROM {} WITH NO DATA",
                  table.key, table.name));
  Stream(from, fmt::format("SELECT {} FROM {}", table.key, table.name), to,
         fmt::format("present ({})", table.key));
  to.Execute("ANALYZE present");
  to.Execute(fmt::format("DELETE FROM {0} WHERE ({1}) NOT IN (SELECT {1} FROM present)", table.name,
                         table.key));
  to.Execute(
      fmt::format("CREATE TEMPORARY TABLE changed ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
                  table.columns, table.name));
  Stream(from,
         fmt::format("SELECT {} FROM {} WHERE age(xmin) <= age({}::xid)", table.columns, table.name,
                     QuoteLiteral(since)),
         to, fmt::format("changed ({})", table.columns));
  to.Execute(fmt::format("DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM changed)", table.name,
                         table.key));
  to.Execute(
      fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM changed", table.name, table.columns));
  to.Execute("DROP TABLE present, changed");
}

void CopySequence(PostgresConnection& from, PostgresConnection& to, const std::string& sequence) {
  const QueryResult state =
      from.Query(fmt::format("SELECT last_value, is_called FROM {}", InSchema(sequence)));
  to.Query("SELECT setval($1::regclass, $2::bigint, $3::boolean)",
           {InSchema(sequence), state.Text(0, 0), state.Text(0, 1)});
}

}  // namespace

void CheckHasExtension(PostgresConnection& connection, const std::string& database) {
  if (connection.Query("SELECT 1 FROM pg_extension WHERE extname = 'pgbackup'").rows() > 0) return;
  throw Error(ErrorKind::kNotFound,
              fmt::format("the backup of \"{}\" does not hold the extension pgbackup", database),
              "It was made before the extension was installed there; the home database cannot do "
              "without.",
              "Restore it under another name, or set pgbackup.home_database to another database.");
}

std::string CopyCatalog(PostgresConnection& from, PostgresConnection& to) {
  UseOneStyle(from, to);
  from.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  std::string since = from.Query("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid").Text(0, 0);
  BeginWithoutTriggers(to);
  std::string all;
  for (const CatalogTable& table : TablesOf(to)) all += (all.empty() ? "" : ", ") + table.name;
  to.Execute(fmt::format("TRUNCATE {}", all));
  for (const CatalogTable& table : TablesOf(from)) CopyWhole(from, to, table);
  to.Execute("COMMIT");
  to.Execute("ANALYZE " + all);
  from.Execute("COMMIT");
  return since;
}

HomeCatalogMove::HomeCatalogMove(PostgresConnection from, PostgresConnection to, std::string since)
    : from_(std::move(from)), to_(std::move(to)), since_(std::move(since)) {}

std::set<int64_t> HomeCatalogMove::Pids() {
  return {BackendPid(*from_), BackendPid(*to_)};
}

void HomeCatalogMove::Finish(const std::function<void(PostgresConnection&)>& record) {
  PostgresConnection from = std::move(*std::exchange(from_, std::nullopt));
  PostgresConnection to = std::move(*std::exchange(to_, std::nullopt));
  UseOneStyle(from, to);
  BeginWithoutTriggers(to);
  // Those are of the backup, and would see the temporary tables.
  const std::vector<std::string> enable = DisableEventTriggers(to);
  for (const CatalogTable& table : TablesOf(from)) {
    if (table.key.empty())
      CopyWhole(from, to, table);
    else
      CopyChanges(from, to, table, since_);
  }
  const QueryResult sequences = from.Query(kSequencesSql);
  for (int row = 0; row < sequences.rows(); ++row) CopySequence(from, to, sequences.Text(row, 0));
  for (const std::string& sql : enable) to.Execute(sql);
  to.Execute("SET LOCAL session_replication_role = origin");
  record(to);
  to.Execute("COMMIT");
}

}  // namespace pgbackup
