#include "core/dump/lock_budget.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

// A server with the default settings has 64 * 122 entries.
TEST(LockBudget, CountsWhatABackupNeeds) {
  struct Case {
    LockDemand demand;
    LockTable table;
    int64_t per_transaction;
  };
  const Case cases[] = {
      // What a dump reads of the system catalogs.
      {{0, 0, 1}, {64, 122}, 2},
      // One pg_dump and the coordinator hold two for each table, which is what an entry is for.
      {{1220, 0, 1}, {64, 122}, 13},
      // With three holders it is a quarter more.
      {{1220, 0, 2}, {64, 122}, 16},
      // Only pg_dumps lock what is no table.
      {{0, 1220, 1}, {64, 122}, 10},
      {{50000, 0, 1}, {64, 122}, 453},
      {{50000, 0, 2}, {64, 122}, 563},
      {{50000, 50000, 2}, {64, 122}, 1014},
      {{1000000, 0, 2}, {64, 1000}, 1369},
      {{0, 0, 1, 10}, {64, 122}, 14},
  };
  for (const Case& each : cases)
    EXPECT_EQ(LocksPerTransactionFor(each.demand, each.table), each.per_transaction)
        << each.demand.tables << " " << each.demand.others << " " << each.demand.dumps;
}

TEST(LockBudget, AdvisesOnlyWhereItIsTooSmall) {
  EXPECT_EQ(LockAdvice({5000, 0, 2}, {64, 122}), "");
  EXPECT_EQ(
      LockAdvice({50000, 0, 2}, {64, 122}),
      "ALTER SYSTEM SET max_locks_per_transaction = 640 (it is 64), then restart the server.");
  // What is advised is enough, and is not advised again.
  EXPECT_EQ(LockAdvice({50000, 0, 2}, {640, 122}), "");
}

TEST(LockBudget, AddsUpBackupsAtTheSameTime) {
  LockDemand sum{10, 5, 2};
  sum += {20, 1, 1};
  EXPECT_EQ(sum.backups, 2);
  EXPECT_EQ(sum.tables, 30);
  EXPECT_EQ(sum.others, 6);
  EXPECT_EQ(sum.dumps, 2);
}

TEST(LockBudget, KnowsWhichDumpsLockEverything) {
  EXPECT_EQ(DumpsThatLockAll(DumpFormat::kCustom, DumpContent::kAll), 1);
  EXPECT_EQ(DumpsThatLockAll(DumpFormat::kPlain, DumpContent::kAll), 1);
  EXPECT_EQ(DumpsThatLockAll(DumpFormat::kAuto, DumpContent::kAll), 2);
  EXPECT_EQ(DumpsThatLockAll(DumpFormat::kParallel, DumpContent::kAll), 2);
  EXPECT_EQ(DumpsThatLockAll(DumpFormat::kParallel, DumpContent::kSchema), 1);
}

TEST(LockBudget, AdvisesTheRunThatFindsNoRoom) {
  const Error full(ErrorKind::kDatabase, "out of shared memory", "Its own words.");
  const Error advised = WithLockAdvice(full, {50000, 7, 2}, {64, 122});
  EXPECT_EQ(advised.kind(), ErrorKind::kDatabase);
  EXPECT_EQ(advised.message(),
            "the server has no room for the locks of this backup: out of shared memory");
  EXPECT_EQ(advised.detail(),
            "The backup locks 50000 tables, and 7 views and sequences, in 3 sessions.\n"
            "Its own words.");
  EXPECT_EQ(advised.hint(), LockAdvice({50000, 7, 2}, {64, 122}));
  const Error crowded = WithLockAdvice(full, {5, 0, 1}, {64, 122});
  EXPECT_NE(crowded.detail().find("others hold many locks"), std::string::npos);
  EXPECT_NE(crowded.hint().find("max_locks_per_transaction"), std::string::npos);
}

TEST(LockBudget, KnowsAFullLockTable) {
  EXPECT_TRUE(IsOutOfLocks(Error(ErrorKind::kDatabase, "out of shared memory (SQLSTATE 53200)")));
  EXPECT_TRUE(IsOutOfLocks(Error(ErrorKind::kTool, "pg_dump failed",
                                 "HINT:  You might need to increase max_locks_per_transaction.")));
  EXPECT_FALSE(IsOutOfLocks(Error(ErrorKind::kTool, "pg_dump failed", "out of memory")));
  const Error silent(ErrorKind::kTool,
                     "pg_dumpall exited with status 1: could not connect to database \"x\"");
  EXPECT_FALSE(IsOutOfLocks(silent));
  EXPECT_TRUE(MayBeOutOfLocks(silent));
  EXPECT_FALSE(MayBeOutOfLocks(Error(ErrorKind::kTool, "pg_dump failed", "out of memory")));
}

}  // namespace
}  // namespace pgbackup
