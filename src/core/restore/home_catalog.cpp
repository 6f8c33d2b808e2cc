#include "core/restore/home_catalog.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/postgres/quoting.h"
#include "core/restore/session_end.h"

namespace pgbackup {
namespace {

// The tables, and the columns of each that an INSERT can fill.
constexpr const char* kTablesSql = R"(
SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
  JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = ''
 WHERE e.extname = 'pgbackup' AND d.deptype = 'e' AND c.relkind = 'r'
 GROUP BY c.relname ORDER BY c.relname)";

constexpr const char* kSequencesSql = R"(
SELECT c.relname FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
  JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
 WHERE e.extname = 'pgbackup' AND d.deptype = 'e' AND c.relkind = 'S' ORDER BY c.relname)";

std::string InSchema(const std::string& name) {
  return QuoteQualifiedName({"pgbackup", name});
}

void CopyTable(PostgresConnection& from, PostgresConnection& to, const std::string& table,
               const std::string& columns) {
  to.BeginCopy(fmt::format("COPY {} ({}) FROM STDIN", InSchema(table), columns));
  from.CopyOut(fmt::format("COPY {} ({}) TO STDOUT", InSchema(table), columns),
               [&](std::span<const std::byte> row) { to.WriteCopy(row); });
  to.EndCopy();
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

HomeCatalogMove::HomeCatalogMove(PostgresConnection from, PostgresConnection to)
    : from_(std::move(from)), to_(std::move(to)) {}

std::set<int64_t> HomeCatalogMove::Pids() {
  return {BackendPid(*from_), BackendPid(*to_)};
}

void HomeCatalogMove::Copy(const std::function<void(PostgresConnection&)>& record) {
  PostgresConnection from = std::move(*std::exchange(from_, std::nullopt));
  PostgresConnection to = std::move(*std::exchange(to_, std::nullopt));
  to.Execute("BEGIN READ WRITE");
  // Neither triggers nor foreign keys: the rows are as they were.
  to.Execute("SET LOCAL session_replication_role = replica");
  const QueryResult old_tables = from.Query(kTablesSql);
  const QueryResult new_tables = to.Query(kTablesSql);
  std::string all;
  for (int row = 0; row < new_tables.rows(); ++row)
    all += (row == 0 ? "" : ", ") + InSchema(new_tables.Text(row, 0));
  to.Execute(fmt::format("TRUNCATE {}", all));
  for (int row = 0; row < old_tables.rows(); ++row)
    CopyTable(from, to, old_tables.Text(row, 0), old_tables.Text(row, 1));
  const QueryResult sequences = from.Query(kSequencesSql);
  for (int row = 0; row < sequences.rows(); ++row) CopySequence(from, to, sequences.Text(row, 0));
  to.Execute("SET LOCAL session_replication_role = origin");
  record(to);
  to.Execute("COMMIT");
}

}  // namespace pgbackup
