#include "core/dump/snapshot_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/postgres/recovery_conflict.h"

namespace pgbackup {
namespace {

constexpr int kAttempts = 5;
constexpr size_t kStatementSize = 256 << 10;

void LockAll(PostgresConnection& connection, const std::vector<DumpTable>& targets) {
  std::string list;
  const auto flush = [&] {
    if (!list.empty()) connection.Execute(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", list));
    list.clear();
  };
  for (const DumpTable& target : targets) {
    list += (list.empty() ? "ONLY " : ", ONLY ") + QuoteQualifiedName(target.name);
    if (list.size() > kStatementSize) flush();
  }
  flush();
}

bool HasSqlState(const Error& error, const char* sqlstate) {
  return error.message().find(fmt::format("(SQLSTATE {})", sqlstate)) != std::string::npos;
}

// A lock could not be had in time: says who holds it, as far as that can still be seen.
[[noreturn]] void ThrowLocked(PostgresConnection& connection, const std::vector<DumpTable>& targets,
                              const Error& error) {
  const QueryResult holders = connection.Query(
      "SELECT l.relation, l.pid, l.granted FROM pg_locks l WHERE l.locktype = 'relation' "
      "AND l.mode = 'AccessExclusiveLock' AND l.database = "
      "(SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY l.granted DESC");
  for (int i = 0; i < holders.rows(); ++i)
    for (const DumpTable& target : targets)
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
  tables_ = ListTables(connection_, ResolveSelection(connection_, names));
  connection_.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    LockAll(connection_, tables_);
  } catch (const Error& error) {
    connection_.Execute("ROLLBACK");
    if (HasSqlState(error, "55P03")) ThrowLocked(connection_, tables_, error);
    if (IsOutOfLocks(error))
      throw WithLockAdvice(error, Demand(names, tables_.size()), ReadLockTable(connection_));
    // A table or schema dropped since it was listed: look again.
    if (HasSqlState(error, "42P01") || HasSqlState(error, "3F000")) return false;
    throw;
  }
  snapshot_ = connection_.Query("SELECT pg_export_snapshot()").Text(0, 0);
  selection_ = ResolveSelection(connection_, names);
  const std::vector<DumpTable> now = ListTables(connection_, selection_);
  if (std::equal(
          now.begin(), now.end(), tables_.begin(), tables_.end(),
          [](const DumpTable& left, const DumpTable& right) { return left.IsSameAs(right); })) {
    demand_ = Demand(names, tables_.size());
    return true;
  }
  connection_.Execute("ROLLBACK");
  return false;
}

bool SnapshotCoordinator::Release() noexcept {
  try {
    connection_.Execute("COMMIT");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

Error CoordinatorLost(const std::string& why) {
  if (IsRecoveryConflict(why))
    return RecoveryConflict("the connection that holds the backup's snapshot and locks", why);
  return Error(ErrorKind::kUnavailable,
               "the connection that holds the backup's snapshot and locks was lost", why)
      .WithSqlState(kConnectionGone);
}

}  // namespace pgbackup
