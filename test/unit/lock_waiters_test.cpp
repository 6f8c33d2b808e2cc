// The words for who was given way to; what is seen of a server's locks is in 015_lock_guard.pl.
#include "core/blocking/lock_waiters.h"

#include <gtest/gtest.h>

#include "core/blocking/run_sessions.h"

namespace pgbackup {
namespace {

LockWaiter Someone() {
  LockWaiter waiter;
  waiter.pid = 123;
  waiter.waited = std::chrono::milliseconds(60400);
  waiter.relation = "table \"s\".\"t\"";
  return waiter;
}

TEST(LockWaiters, SayWhoWasGivenWayTo) {
  LockWaiter waiter = Someone();
  waiter.role = "app";
  waiter.application = "psql";
  waiter.statement = "ALTER TABLE";
  const Error error = GaveWay(waiter, "");
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_EQ(error.message(),
            "gave way to process 123, which waited 60 s for a lock on table \"s\".\"t\"");
  EXPECT_EQ(error.detail(),
            "It runs ALTER TABLE as role \"app\" in \"psql\", and whoever needs the table after it "
            "waits behind it.");
  EXPECT_NE(error.hint().find("pgbackup.lock_guard_timeout"), std::string::npos);
}

TEST(LockWaiters, SayNoMoreThanIsKnown) {
  LockWaiter waiter = Someone();
  waiter.waited = std::chrono::milliseconds(1250);
  const Error error = GaveWay(waiter, "More.");
  EXPECT_NE(error.message().find("waited 1.2 s"), std::string::npos) << error.message();
  EXPECT_EQ(
      error.detail(),
      "It runs a statement that needs the table for itself, and whoever needs the table after "
      "it waits behind it. More.");
}

TEST(LockWaiters, KnowTheSessionsOfARunByTheirName) {
  const ConnectionSettings settings =
      RunSettings({{"application_name", "x"}, {"dbname", "db"}}, "backup", 42);
  EXPECT_EQ(settings,
            (ConnectionSettings{{"dbname", "db"}, {"application_name", "pgbackup backup 42"}}));
}

}  // namespace
}  // namespace pgbackup
