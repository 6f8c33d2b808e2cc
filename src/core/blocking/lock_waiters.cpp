#include "core/blocking/lock_waiters.h"

#include <fmt/format.h>

#include "core/blocking/run_sessions.h"
#include "core/blocking/statement_kind.h"

namespace pgbackup {
namespace {

constexpr const char* kIsBlockedByUs = "pg_blocking_pids(s.pid) && ARRAY(SELECT pid FROM ours)";

}  // namespace

std::vector<int64_t> ListWaiters(PostgresConnection& connection) {
  const QueryResult found = connection.Query(
      fmt::format("{}SELECT s.pid FROM s WHERE CASE WHEN (s.wait_event_type = 'Lock' "
                  "AND s.wait_event = 'relation') OR s.query = '<insufficient privilege>' "
                  "THEN s.pid NOT IN (SELECT pid FROM ours) AND {} ELSE false END",
                  kRunSessionsSql, kIsBlockedByUs));
  std::vector<int64_t> pids;
  for (int i = 0; i < found.rows(); ++i) pids.push_back(found.Integer(i, 0));
  return pids;
}

std::optional<LockWaiter> DescribeWaiter(PostgresConnection& connection, int64_t pid,
                                         const RelationNames& names) {
  // Version 14 and later know since when.
  const QueryResult found = connection.Query(
      fmt::format(
          "{}SELECT l.relation::bigint, "
          "(SELECT d.datname FROM pg_database d WHERE d.oid = l.database), "
          "(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000)::bigint, "
          "pg_get_userbyid(s.usesysid), s.application_name, left(s.query, 1000) "
          "FROM pg_lock_status() l JOIN s ON s.pid = l.pid WHERE l.pid = $1 AND NOT l.granted "
          "AND l.locktype = 'relation' AND l.waitstart IS NOT NULL AND {} LIMIT 1",
          kRunSessionsSql, kIsBlockedByUs),
      {std::to_string(pid)});
  if (found.rows() == 0) return std::nullopt;
  LockWaiter waiter;
  waiter.pid = pid;
  waiter.relation = names(found.Text(0, 1), found.Integer(0, 0));
  waiter.waited = std::chrono::milliseconds(found.Integer(0, 2));
  waiter.role = found.Text(0, 3);
  waiter.application = found.Text(0, 4);
  waiter.statement = StatementKind(found.Text(0, 5));
  return waiter;
}

Error GaveWay(const LockWaiter& waiter, const std::string& why) {
  std::string detail = fmt::format("It runs {}", waiter.statement.empty()
                                                     ? "a statement that needs the table for itself"
                                                     : waiter.statement);
  if (!waiter.role.empty()) detail += fmt::format(" as role \"{}\"", waiter.role);
  if (!waiter.application.empty()) detail += fmt::format(" in \"{}\"", waiter.application);
  detail += ", and whoever needs the table after it waits behind it.";
  if (!why.empty()) detail += " " + why;
  return Error(ErrorKind::kBusy,
               fmt::format("gave way to process {}, which waited {} for a lock on {}", waiter.pid,
                           SecondsInWords(waiter.waited.count()), waiter.relation),
               detail,
               "Run the backup at another time, or raise or switch off (0) "
               "pgbackup.lock_guard_timeout.");
}

}  // namespace pgbackup
