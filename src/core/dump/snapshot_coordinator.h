// The connection that makes all lanes of a backup see one and the same database.
//
// It locks the tables first and takes the snapshot afterwards: a TRUNCATE between the two would
// otherwise leave a table empty in the dump, silently. It stays in its transaction until the last
// lane has ended, and connected until the backup is complete.
#pragma once

#include <memory>
#include <string>

#include "core/dump/lock_budget.h"
#include "core/dump/selection.h"
#include "core/dump/table_list.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

class SnapshotCoordinator {
 public:
  // Locks what `names` selects (everything when it selects nothing) in ACCESS SHARE mode and
  // exports the snapshot. Throws kBusy when a lock cannot be had within `lock_wait_timeout_ms`.
  SnapshotCoordinator(const ConnectionSettings& settings, const SelectionNames& names,
                      int64_t lock_wait_timeout_ms, const Cancellation& cancellation);

  // The connection, inside the transaction; used by nobody once it is being watched.
  PostgresConnection& connection() noexcept { return connection_; }

  // Ends the transaction: nothing is locked any more, and no row version kept. False when the
  // connection has been lost meanwhile.
  bool Release() noexcept;

  const std::string& snapshot() const noexcept { return snapshot_; }
  const Selection& selection() const noexcept { return selection_; }
  // What was locked: the selected tables.
  const std::vector<DumpTable>& tables() const noexcept { return tables_; }
  // What the backup locks, its dumps included.
  const LockDemand& demand() const noexcept { return demand_; }

 private:
  LockDemand Demand(const SelectionNames& names, size_t tables);
  bool TryLockAndExport(const SelectionNames& names);

  PostgresConnection connection_;
  std::string snapshot_;
  Selection selection_;
  std::vector<DumpTable> tables_;
  LockDemand demand_;
};

// The failure of a backup whose coordinator has lost its connection, of which the server says
// `why`.
Error CoordinatorLost(const std::string& why);

}  // namespace pgbackup
