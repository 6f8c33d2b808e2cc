// The words for who held up a run; what is seen of a server's locks is in 053_blocked.pl.
#include "core/blocking/blocked_sessions.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

BlockedSession Blocked() {
  BlockedSession session;
  session.what = "a lock on sequence \"s\".\"q\"";
  session.waited = std::chrono::milliseconds(31200);
  session.blocker = 123;
  return session;
}

TEST(BlockedSessions, SayWhoHeldUpTheRun) {
  BlockedSession session = Blocked();
  session.role = "eve";
  session.application = "psql";
  session.statement = "ALTER SEQUENCE";
  session.is_idle = true;
  const Error error = HeldUp(session);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_EQ(error.message(),
            "waited 31 s for a lock on sequence \"s\".\"q\" because of process 123");
  EXPECT_EQ(error.detail(),
            "That session of role \"eve\" in \"psql\" is idle in a transaction, and its last "
            "statement was ALTER SEQUENCE.");
  EXPECT_NE(error.hint().find("pgbackup.lock_wait_timeout"), std::string::npos);
}

TEST(BlockedSessions, SayNoMoreThanIsKnown) {
  BlockedSession session = Blocked();
  EXPECT_EQ(HeldUp(session).detail(), "That session runs a statement that cannot be named.");
  session.blocker = 0;
  session.waited = std::chrono::milliseconds(2340);
  const Error error = HeldUp(session);
  EXPECT_EQ(error.message(),
            "waited 2.3 s for a lock on sequence \"s\".\"q\" because of a prepared transaction");
  EXPECT_EQ(error.detail(), "");
}

}  // namespace
}  // namespace pgbackup
