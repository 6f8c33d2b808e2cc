#include "core/dump/lock_budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgbackup {
namespace {

// Bytes of shared memory for a lock, and for each session that holds or awaits it; the same in
// versions 15 to 18. The table is made for two of the latter for each of the former.
constexpr int64_t kLock = 168;
constexpr int64_t kHolder = 80;
constexpr int64_t kEntry = kLock + 2 * kHolder;

// Catalogs and their indexes that a pg_dump reads: 157 in version 15.
constexpr int64_t kCatalogs = 200;

int64_t DivideUp(int64_t number, int64_t by) {
  return (number + by - 1) / by;
}

}  // namespace

LockDemand& LockDemand::operator+=(const LockDemand& more) {
  tables += more.tables;
  others += more.others;
  dumps = std::max(dumps, more.dumps);
  backups += more.backups;
  return *this;
}

int64_t LocksPerTransactionFor(const LockDemand& demand, const LockTable& table) {
  const int64_t relations = demand.tables + demand.others + kCatalogs * demand.backups;
  const int64_t holders = demand.dumps * relations + demand.tables;
  const int64_t entries = DivideUp(kLock * relations + kHolder * holders, kEntry);
  return DivideUp(entries * 11, table.transactions * 10);
}

std::string LockAdvice(const LockDemand& demand, const LockTable& table) {
  const int64_t needed = LocksPerTransactionFor(demand, table);
  if (needed <= table.per_transaction) return "";
  // A round number, which lasts for some more tables.
  return fmt::format(
      "ALTER SYSTEM SET max_locks_per_transaction = {} (it is {}), then restart the server.",
      DivideUp(needed + needed / 10, 64) * 64, table.per_transaction);
}

LockTable ReadLockTable(PostgresConnection& connection) {
  // Since version 18 autovacuum has slots for workers beside their number, and there are two more
  // processes that run transactions instead of one.
  const QueryResult settings = connection.Query(
      "SELECT max(setting::int) FILTER (WHERE name = 'max_locks_per_transaction'), "
      "sum(setting::int) FILTER (WHERE name IN ('max_connections', 'max_worker_processes', "
      "'max_wal_senders', 'max_prepared_transactions')) "
      "+ coalesce(max(setting::int) FILTER (WHERE name = 'autovacuum_worker_slots') + 2, "
      "max(setting::int) FILTER (WHERE name = 'autovacuum_max_workers') + 1) FROM pg_settings "
      "WHERE name IN ('max_locks_per_transaction', 'max_connections', 'max_worker_processes', "
      "'max_wal_senders', 'max_prepared_transactions', 'autovacuum_worker_slots', "
      "'autovacuum_max_workers')");
  return {settings.Integer(0, 0), settings.Integer(0, 1)};
}

LockDemand CountLockable(PostgresConnection& connection, int64_t dumps) {
  // Not those of the system, and no temporary ones.
  const QueryResult counted = connection.Query(
      "SELECT count(*) FILTER (WHERE relkind IN ('r', 'p')), "
      "count(*) FILTER (WHERE relkind NOT IN ('r', 'p')) FROM pg_class "
      "WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relpersistence <> 't' AND oid >= 16384");
  return {counted.Integer(0, 0), counted.Integer(0, 1), dumps};
}

int64_t DumpsThatLockAll(DumpFormat format, DumpContent content) {
  const bool one = format == DumpFormat::kCustom || format == DumpFormat::kPlain;
  return one || content != DumpContent::kAll ? 1 : 2;
}

bool IsOutOfLocks(const Error& error) {
  for (const std::string* text : {&error.message(), &error.detail(), &error.hint()})
    for (const char* words : {"max_locks_per_transaction", "out of shared memory"})
      if (text->find(words) != std::string::npos) return true;
  return false;
}

bool MayBeOutOfLocks(const Error& error) {
  return IsOutOfLocks(error) ||
         error.message().find("could not connect to database") != std::string::npos;
}

Error WithLockAdvice(const Error& error, const LockDemand& demand, const LockTable& table) {
  const std::string advice = LockAdvice(demand, table);
  std::string detail =
      fmt::format("The backup locks {} tables, and {} views and sequences, in {} sessions.",
                  demand.tables, demand.others, demand.dumps + 1);
  if (advice.empty()) detail += " There should be room for that, so others hold many locks, too.";
  return Error(
      error.kind(),
      fmt::format("the server has no room for the locks of this backup: {}", error.message()),
      error.detail().empty() ? detail : detail + "\n" + error.detail(),
      advice.empty() ? "Raise max_locks_per_transaction and restart the server, or run the "
                       "backup when others hold fewer locks."
                     : advice);
}

}  // namespace pgbackup
