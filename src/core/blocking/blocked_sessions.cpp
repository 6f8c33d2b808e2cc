#include "core/blocking/blocked_sessions.h"

#include <fmt/format.h>

#include "core/blocking/run_sessions.h"
#include "core/blocking/statement_kind.h"

namespace pgbackup {

std::vector<int64_t> ListBlocked(PostgresConnection& connection) {
  const QueryResult found = connection.Query(
      fmt::format("{}SELECT s.pid FROM s WHERE s.pid IN (SELECT pid FROM ours) AND CASE "
                  "WHEN s.wait_event_type = 'Lock' "
                  "THEN NOT pg_blocking_pids(s.pid) <@ ARRAY(SELECT pid FROM ours) "
                  "ELSE s.wait_event = 'SafeSnapshot' END",
                  kRunSessionsSql));
  std::vector<int64_t> pids;
  for (int i = 0; i < found.rows(); ++i) pids.push_back(found.Integer(i, 0));
  return pids;
}

std::optional<BlockedSession> DescribeBlocked(PostgresConnection& connection, int64_t pid,
                                              const RelationNames& names) {
  const QueryResult found = connection.Query(
      fmt::format(
          "{}, w AS (SELECT s.*, (SELECT p FROM unnest(CASE s.wait_event_type WHEN 'Lock' "
          "THEN pg_blocking_pids(s.pid) ELSE pg_safe_snapshot_blocking_pids(s.pid) END) p "
          "WHERE p NOT IN (SELECT pid FROM ours) LIMIT 1) AS blocker FROM s WHERE s.pid = $1) "
          "SELECT w.wait_event_type = 'Lock', l.locktype, l.relation::bigint, "
          "(SELECT d.datname FROM pg_database d WHERE d.oid = l.database), "
          "(extract(epoch FROM clock_timestamp() - CASE w.wait_event_type WHEN 'Lock' "
          "THEN l.waitstart ELSE w.query_start END) * 1000)::bigint, w.blocker, "
          "pg_get_userbyid(b.usesysid), b.application_name, left(b.query, 1000), "
          "coalesce(b.state LIKE 'idle in transaction%', false) "
          "FROM w LEFT JOIN pg_lock_status() l ON l.pid = w.pid AND NOT l.granted "
          "LEFT JOIN s b ON b.pid = w.blocker "
          "WHERE w.blocker IS NOT NULL AND (w.wait_event_type = 'Lock' "
          "OR w.wait_event = 'SafeSnapshot') LIMIT 1",
          kRunSessionsSql),
      {std::to_string(pid)});
  if (found.rows() == 0) return std::nullopt;
  BlockedSession session;
  if (!found.Flag(0, 0))
    session.what = "a safe snapshot";
  else if (found.IsNull(0, 2))
    session.what = fmt::format("a lock of type {}", found.Text(0, 1));
  else
    session.what = fmt::format("a lock on {}", names(found.Text(0, 3), found.Integer(0, 2)));
  session.waited = std::chrono::milliseconds(found.Integer(0, 4));
  session.blocker = found.Integer(0, 5);
  session.role = found.Text(0, 6);
  session.application = found.Text(0, 7);
  session.statement = StatementKind(found.Text(0, 8));
  session.is_idle = found.Flag(0, 9);
  return session;
}

std::optional<BlockedSession> DescribeClosed(PostgresConnection& connection,
                                             const std::string& database) {
  const QueryResult found = connection.Query(
      fmt::format("{}SELECT l.pid, pg_get_userbyid(s.usesysid), s.application_name, "
                  "left(s.query, 1000), coalesce(s.state LIKE 'idle in transaction%', false) "
                  "FROM pg_lock_status() l LEFT JOIN s ON s.pid = l.pid "
                  "WHERE l.locktype = 'object' AND l.granted AND l.mode = 'AccessExclusiveLock' "
                  "AND l.classid = 'pg_database'::regclass "
                  "AND l.objid = (SELECT d.oid FROM pg_database d WHERE d.datname = $1) LIMIT 1",
                  kRunSessionsSql),
      {database});
  if (found.rows() == 0) return std::nullopt;
  BlockedSession session;
  session.what = "a connection";
  session.blocker = found.Integer(0, 0);
  session.role = found.Text(0, 1);
  session.application = found.Text(0, 2);
  session.statement = StatementKind(found.Text(0, 3));
  session.is_idle = found.Flag(0, 4);
  return session;
}

Error HeldUp(const BlockedSession& session) {
  std::string detail;
  if (session.blocker != 0) {
    detail = "That session";
    if (!session.role.empty()) detail += fmt::format(" of role \"{}\"", session.role);
    if (!session.application.empty()) detail += fmt::format(" in \"{}\"", session.application);
    if (session.is_idle) detail += " is idle in a transaction";
    detail += session.is_idle ? ", and its last statement was " : " runs ";
    detail += session.statement.empty() ? "a statement that cannot be named" : session.statement;
    detail += ".";
  }
  return Error(ErrorKind::kBusy,
               fmt::format("waited {} for {} because of {}", SecondsInWords(session.waited.count()),
                           session.what,
                           session.blocker == 0 ? "a prepared transaction"
                                                : fmt::format("process {}", session.blocker)),
               detail,
               "End that transaction, start the run when no such change is under way, or raise "
               "pgbackup.lock_wait_timeout.");
}

}  // namespace pgbackup
