#include "core/dump/snapshot_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr int kAttempts = 5;
constexpr size_t kStatementSize = 256 << 10;

struct LockTarget {
  std::string oid;
  QualifiedName name;
  bool operator==(const LockTarget&) const = default;
};

bool IsSelected(const Selection& selection, const QualifiedName& name) {
  const auto contains = [](const auto& list, const auto& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  if (contains(selection.exclude_tables, name)) return false;
  if (!selection.tables.empty()) return contains(selection.tables, name);
  return selection.schemas.empty() || contains(selection.schemas, name.schema);
}

// Tables this user may lock; one it may not read is pg_dump's to complain about, by name.
std::vector<LockTarget> ListTables(PostgresConnection& connection, const Selection& selection) {
  const QueryResult tables = connection.Query(
      "SELECT c.oid, n.nspname, c.relname FROM pg_class c "
      "JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' "
      "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
      "AND n.nspname !~ '^pg_(toast_)?temp_' AND has_table_privilege(c.oid, 'SELECT') "
      "ORDER BY c.oid");
  std::vector<LockTarget> targets;
  for (int i = 0; i < tables.rows(); ++i) {
    LockTarget target{tables.Text(i, 0), {tables.Text(i, 1), tables.Text(i, 2)}};
    if (IsSelected(selection, target.name)) targets.push_back(std::move(target));
  }
  return targets;
}

void LockAll(PostgresConnection& connection, const std::vector<LockTarget>& targets) {
  std::string list;
  const auto flush = [&] {
    if (!list.empty()) connection.Execute(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", list));
    list.clear();
  };
  for (const LockTarget& target : targets) {
    list += (list.empty() ? "ONLY " : ", ONLY ") + QuoteQualifiedName(target.name);
    if (list.size() > kStatementSize) flush();
  }
  flush();
}

bool HasSqlState(const Error& error, const char* sqlstate) {
  return error.message().find(fmt::format("(SQLSTATE {})", sqlstate)) != std::string::npos;
}

// A lock could not be had in time: says who holds it, as far as that can still be seen.
[[noreturn]] void ThrowLocked(PostgresConnection& connection,
                              const std::vector<LockTarget>& targets, const Error& error) {
  const QueryResult holders = connection.Query(
      "SELECT l.relation, l.pid, l.granted FROM pg_locks l WHERE l.locktype = 'relation' "
      "AND l.mode = 'AccessExclusiveLock' AND l.database = "
      "(SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY l.granted DESC");
  for (int i = 0; i < holders.rows(); ++i)
    for (const LockTarget& target : targets)
      if (target.oid == holders.Text(i, 0))
        throw Error(ErrorKind::kBusy,
                    fmt::format("could not lock table {} in time", QuoteQualifiedName(target.name)),
                    fmt::format("The server process {} {} an exclusive lock on it.",
                                holders.Text(i, 1), holders.Flag(i, 2) ? "holds" : "waits for"),
                    "Run the backup when no such change is under way, or raise "
                    "pgbackup.lock_wait_timeout.");
  throw Error(ErrorKind::kBusy, "could not lock the tables in time", error.message(),
              "Raise pgbackup.lock_wait_timeout.");
}

}  // namespace

SnapshotCoordinator::SnapshotCoordinator(const ConnectionSettings& settings,
                                         const SelectionNames& names, int64_t lock_wait_timeout_ms,
                                         const Cancellation& cancellation)
    : connection_(settings, cancellation) {
  connection_.Execute(fmt::format("SET lock_timeout = {}", lock_wait_timeout_ms));
  for (int attempt = 1; attempt <= kAttempts; ++attempt)
    if (TryLockAndExport(names)) return;
  throw Error(ErrorKind::kBusy, "tables were created or dropped faster than they were locked",
              fmt::format("{} attempts to lock one and the same list of tables failed.", kAttempts),
              "Run the backup at a time without schema changes.");
}

// For a backup of so many tables; which dumps will follow is not decided yet.
LockDemand SnapshotCoordinator::Demand(const SelectionNames& names, size_t tables) {
  constexpr int64_t kDumps = 2;
  if (names.IsEmpty()) return CountLockable(connection_, kDumps);
  return {static_cast<int64_t>(tables), 0, kDumps};
}

bool SnapshotCoordinator::TryLockAndExport(const SelectionNames& names) {
  // LOCK takes no snapshot of the transaction, so what is locked cannot change before the export.
  const std::vector<LockTarget> targets =
      ListTables(connection_, ResolveSelection(connection_, names));
  connection_.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    LockAll(connection_, targets);
  } catch (const Error& error) {
    connection_.Execute("ROLLBACK");
    if (HasSqlState(error, "55P03")) ThrowLocked(connection_, targets, error);
    if (IsOutOfLocks(error))
      throw WithLockAdvice(error, Demand(names, targets.size()), ReadLockTable(connection_));
    // A table or schema dropped since it was listed: look again.
    if (HasSqlState(error, "42P01") || HasSqlState(error, "3F000")) return false;
    throw;
  }
  snapshot_ = connection_.Query("SELECT pg_export_snapshot()").Text(0, 0);
  selection_ = ResolveSelection(connection_, names);
  if (ListTables(connection_, selection_) == targets) {
    demand_ = Demand(names, targets.size());
    return true;
  }
  connection_.Execute("ROLLBACK");
  return false;
}

}  // namespace pgbackup
