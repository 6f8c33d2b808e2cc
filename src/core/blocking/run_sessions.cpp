#include "core/blocking/run_sessions.h"

#include <fmt/format.h>

#include <chrono>

#include "core/base/deadline.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kNameTime{3000};

const char* RelationKind(const std::string& relkind) {
  switch (relkind.empty() ? '\0' : relkind[0]) {
    case 'i':
    case 'I':
      return "index";
    case 'S':
      return "sequence";
    case 'v':
      return "view";
    case 'm':
      return "materialized view";
    case 'c':
      return "type";
    default:
      return "table";
  }
}

}  // namespace

ConnectionSettings RunSettings(ConnectionSettings settings, std::string_view kind, int64_t id) {
  std::erase_if(settings, [](const auto& setting) { return setting.first == "application_name"; });
  settings.emplace_back("application_name", fmt::format("pgbackup {} {}", kind, id));
  return settings;
}

// Functions, not the views over them: those read catalogs that somebody may have locked. Columns of
// somebody else's session are hidden from a role without privileges, which shows in the query.
const char* const kRunSessionsSql =
    "WITH s AS MATERIALIZED (SELECT * FROM pg_stat_get_activity(NULL)), "
    "ours AS MATERIALIZED (SELECT o.pid FROM s o, s me WHERE me.pid = pg_backend_pid() "
    "AND o.pid <> me.pid AND o.application_name = me.application_name "
    "AND o.usesysid = me.usesysid) ";

void EndSessionsOfRun(PostgresConnection& connection) {
  connection.Execute(fmt::format("{}SELECT pg_terminate_backend(pid) FROM ours", kRunSessionsSql));
}

std::string RelationInWords(const ConnectionSettings& settings, const std::string& database,
                            int64_t oid) {
  try {
    const Deadline deadline(kNameTime);
    PostgresConnection connection(database.empty() ? settings : InDatabase(settings, database),
                                  deadline.cancellation());
    connection.Execute("SET lock_timeout = 1000");
    const QueryResult found = connection.Query(
        "SELECT c.relkind, n.nspname, c.relname FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::bigint::oid",
        {std::to_string(oid)});
    if (found.rows() > 0)
      return fmt::format("{} {}", RelationKind(found.Text(0, 0)),
                         QuoteQualifiedName({found.Text(0, 1), found.Text(0, 2)}));
  } catch (const std::exception&) {
    // What is said does without the name.
  }
  return fmt::format("relation {}", oid);
}

std::string SecondsInWords(int64_t milliseconds) {
  const int64_t tenths = milliseconds / 100;
  return tenths < 100 ? fmt::format("{}.{} s", tenths / 10, tenths % 10)
                      : fmt::format("{} s", tenths / 10);
}

}  // namespace pgbackup
