#include "core/restore/preflight/missing_tablespaces.h"

#include <fmt/format.h>

#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

constexpr const char* kHint =
    "Create it on the server's machine, empty and owned by the operating system user of the "
    "server, "
    "or do without tablespaces: --no-tablespaces.";

bool PassesThrough(const Error& error) {
  return error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kUnavailable;
}

// What the server sees there: it may be on another machine.
void CheckFolder(const std::string& name, const std::string& folder,
                 PostgresConnection& connection) {
  const QueryResult status = connection.Query("SELECT (pg_stat_file($1, true)).isdir", {folder});
  if (!status.Flag(0, 0))
    throw Error(ErrorKind::kNotFound,
                fmt::format("directory \"{}\" of tablespace {} does not exist", folder,
                            QuoteIdentifier(name)),
                "", kHint);
  const QueryResult used = connection.Query(
      "SELECT entry FROM pg_ls_dir($1) AS entry WHERE starts_with(entry, 'PG_') LIMIT 1", {folder});
  if (used.rows() == 0) return;
  throw Error(
      ErrorKind::kAlreadyExists,
      fmt::format("directory \"{}\" of tablespace {} is not empty", folder, QuoteIdentifier(name)),
      fmt::format("It holds \"{}\", in which a server has a tablespace's files.", used.Text(0, 0)),
      "Move that away when no server uses it any more, or do without tablespaces: "
      "--no-tablespaces.");
}

}  // namespace

std::vector<TablespaceScript> PlanMissingTablespaces(std::string_view globals,
                                                     PostgresConnection& connection,
                                                     Findings* findings) {
  std::vector<TablespaceScript> missing;
  for (TablespaceScript& tablespace : TablespacesIn(globals)) {
    if (connection.Query("SELECT FROM pg_tablespace WHERE spcname = $1", {tablespace.name}).rows() >
        0)
      continue;
    const std::string folder =
        connection.Query(fmt::format("SELECT {}", tablespace.location_sql)).Text(0, 0);
    if (folder.substr(0, 1) != "/") continue;
    findings->Try([&] { CheckFolder(tablespace.name, folder, connection); });
    missing.push_back(std::move(tablespace));
  }
  return missing;
}

std::string TablespacesInWords(const std::vector<TablespaceScript>& tablespaces, bool dry_run) {
  if (tablespaces.empty()) return "";
  std::vector<std::string> names;
  for (const TablespaceScript& tablespace : tablespaces) names.push_back(tablespace.name);
  const bool is_one = names.size() == 1;
  return fmt::format("{} {} created: {}", is_one ? "a tablespace" : "tablespaces",
                     dry_run  ? "would be"
                     : is_one ? "was"
                              : "were",
                     QuotedList(names));
}

void CreateTablespaces(PostgresConnection& connection,
                       const std::vector<TablespaceScript>& tablespaces) {
  connection.Execute("SET standard_conforming_strings = on");
  for (const TablespaceScript& tablespace : tablespaces) {
    try {
      connection.Execute(tablespace.create);
      connection.Execute("BEGIN");
      for (const std::string& statement : tablespace.statements) connection.Execute(statement);
      connection.Execute("COMMIT");
    } catch (const Error& error) {
      if (PassesThrough(error)) throw;
      throw Error(error.kind(),
                  fmt::format("could not create tablespace {}: {}",
                              QuoteIdentifier(tablespace.name), error.message()),
                  fmt::format("The statement was: {}.", tablespace.create), kHint);
    }
  }
}

}  // namespace pgbackup
