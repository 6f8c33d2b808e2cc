#include "core/dump/lock_waiters.h"

#include <fmt/format.h>

#include "core/dump/statement_kind.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// Functions, not the views over them: those read catalogs that somebody may have locked. Columns of
// somebody else's session are hidden from a role without privileges, which shows in the query.
constexpr const char* kSessions =
    "WITH s AS MATERIALIZED (SELECT * FROM pg_stat_get_activity(NULL)), "
    "ours AS MATERIALIZED (SELECT o.pid FROM s o, s me WHERE me.pid = pg_backend_pid() "
    "AND o.pid <> me.pid AND o.application_name = me.application_name "
    "AND o.usesysid = me.usesysid AND o.datid = me.datid) ";

constexpr const char* kIsBlockedByUs = "pg_blocking_pids(s.pid) && ARRAY(SELECT pid FROM ours)";

// regclass as text: a name in pg_catalog, the only schema that is searched, comes without schema.
std::string Quoted(const std::string& relation) {
  try {
    const bool qualified = relation.find('.') != std::string::npos;
    return QuoteQualifiedName(
        ParseQualifiedName(qualified ? relation : "pg_catalog." + relation, "relation"));
  } catch (const Error&) {
    return relation;
  }
}

}  // namespace

ConnectionSettings RunSettings(ConnectionSettings settings, int64_t id) {
  std::erase_if(settings, [](const auto& setting) { return setting.first == "application_name"; });
  settings.emplace_back("application_name", fmt::format("pgbackup backup {}", id));
  return settings;
}

std::vector<int64_t> ListWaiters(PostgresConnection& connection) {
  const QueryResult found = connection.Query(
      fmt::format("{}SELECT s.pid FROM s WHERE CASE WHEN (s.wait_event_type = 'Lock' "
                  "AND s.wait_event = 'relation') OR s.query = '<insufficient privilege>' "
                  "THEN {} ELSE false END",
                  kSessions, kIsBlockedByUs));
  std::vector<int64_t> pids;
  for (int i = 0; i < found.rows(); ++i) pids.push_back(found.Integer(i, 0));
  return pids;
}

std::optional<LockWaiter> DescribeWaiter(PostgresConnection& connection, int64_t pid) {
  // Version 14 and later know since when.
  const QueryResult found = connection.Query(
      fmt::format(
          "{}SELECT l.relation::regclass, "
          "(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000)::bigint, "
          "pg_get_userbyid(s.usesysid), s.application_name, left(s.query, 1000) "
          "FROM pg_lock_status() l JOIN s ON s.pid = l.pid WHERE l.pid = $1 AND NOT l.granted "
          "AND l.locktype = 'relation' AND l.waitstart IS NOT NULL AND {} LIMIT 1",
          kSessions, kIsBlockedByUs),
      {std::to_string(pid)});
  if (found.rows() == 0) return std::nullopt;
  LockWaiter waiter;
  waiter.pid = pid;
  waiter.relation = Quoted(found.Text(0, 0));
  waiter.waited = std::chrono::milliseconds(found.Integer(0, 1));
  waiter.role = found.Text(0, 2);
  waiter.application = found.Text(0, 3);
  waiter.statement = StatementKind(found.Text(0, 4));
  return waiter;
}

void EndSessionsOfRun(PostgresConnection& connection) {
  connection.Execute(fmt::format("{}SELECT pg_terminate_backend(pid) FROM ours", kSessions));
}

Error GaveWay(const LockWaiter& waiter, const std::string& why) {
  std::string detail = fmt::format("It runs {}", waiter.statement.empty()
                                                     ? "a statement that needs the table for itself"
                                                     : waiter.statement);
  if (!waiter.role.empty()) detail += fmt::format(" as role \"{}\"", waiter.role);
  if (!waiter.application.empty()) detail += fmt::format(" in \"{}\"", waiter.application);
  detail += ", and whoever needs the table after it waits behind it.";
  if (!why.empty()) detail += " " + why;
  const auto tenths = waiter.waited.count() / 100;
  const std::string waited =
      tenths < 100 ? fmt::format("{}.{}", tenths / 10, tenths % 10) : std::to_string(tenths / 10);
  return Error(ErrorKind::kBusy,
               fmt::format("gave way to process {}, which waited {} s for a lock on table {}",
                           waiter.pid, waited, waiter.relation),
               detail,
               "Run the backup at another time, or raise or switch off (0) "
               "pgbackup.lock_guard_timeout.");
}

}  // namespace pgbackup
