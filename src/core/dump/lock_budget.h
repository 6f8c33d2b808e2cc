// Whether the server has room for the locks of a backup.
//
// All sessions share one lock table in shared memory, made at the start of the server for
// max_locks_per_transaction locks of each session it allows, each lock with two holders. A backup
// needs room for a lock on every relation it dumps, and for each of its sessions that hold it:
// every pg_dump locks tables, and reads views, materialized views and sequences; the coordinator
// locks the tables. Each also holds what it reads of the system catalogs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/dump/dump_plan.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// What a backup locks.
struct LockDemand {
  int64_t tables = 0;  // partitions and partitioned tables among them
  int64_t others = 0;  // views, materialized views, sequences
  int64_t dumps = 1;   // how many of its pg_dumps lock all of that
  int64_t backups = 1;

  LockDemand& operator+=(const LockDemand& more);
};

// The server's lock table.
struct LockTable {
  int64_t per_transaction = 64;  // max_locks_per_transaction
  int64_t transactions = 122;    // sessions and prepared transactions that it is made for
};

// What max_locks_per_transaction must be at least, so that `demand` fits into the nominal size of
// the table and a tenth is left for everybody else.
int64_t LocksPerTransactionFor(const LockDemand& demand, const LockTable& table);

// What to set, and that it takes a restart: a sentence. Empty when the demand fits.
std::string LockAdvice(const LockDemand& demand, const LockTable& table);

LockTable ReadLockTable(PostgresConnection& connection);

// Counts in the connection's database.
LockDemand CountLockable(PostgresConnection& connection, int64_t dumps);

// How many pg_dumps of a backup lock all tables: the parallel layout has one for the schema and one
// for the data.
int64_t DumpsThatLockAll(DumpFormat format, DumpContent content);

// Whether a failure, of a session or of a program, is that the lock table is full.
bool IsOutOfLocks(const Error& error);

// Whether it may be: pg_dumpall does not say why the server refuses a session, and one whose lock
// table is full does.
bool MayBeOutOfLocks(const Error& error);

// The same failure of a backup that takes `demand`, with advice.
Error WithLockAdvice(const Error& error, const LockDemand& demand, const LockTable& table);

}  // namespace pgbackup
