#include "core/job/stall_watch.h"

#include <gtest/gtest.h>

#include <thread>

#include "s3_test_support.h"

namespace pgbackup {
namespace {

using std::chrono::seconds;

class StallClockTest : public ::testing::Test {
 protected:
  bool IsStalledAt(int second) {
    return clock_.IsStalled(progress_, SteadyTime{} + seconds(second));
  }

  Progress progress_;
  StallClock clock_{seconds(10)};
};

TEST_F(StallClockTest, EveryKindOfProgressCounts) {
  EXPECT_FALSE(IsStalledAt(100)) << "the first look";
  EXPECT_FALSE(IsStalledAt(109));
  progress_.raw_bytes += 1;
  EXPECT_FALSE(IsStalledAt(110));
  progress_.stored_bytes += 1;
  EXPECT_FALSE(IsStalledAt(119));
  ++progress_.steps;
  EXPECT_FALSE(IsStalledAt(128));
  progress_.SetPhase("dumping");
  EXPECT_FALSE(IsStalledAt(137));
  EXPECT_FALSE(IsStalledAt(146));
  EXPECT_TRUE(IsStalledAt(147));
}

TEST_F(StallClockTest, WorkInTheServerHasMoreTimeButNotAnyTime) {
  EXPECT_FALSE(IsStalledAt(0));
  for (int second = 5; second < 120; second += 5) {
    ++progress_.sights_of_work;
    EXPECT_FALSE(IsStalledAt(second)) << second;
  }
  ++progress_.sights_of_work;
  EXPECT_TRUE(IsStalledAt(10 * StallClock::kWorkFactor));
}

TEST_F(StallClockTest, WorkThatEndsLeavesNoMoreThanTheLimit) {
  EXPECT_FALSE(IsStalledAt(0));
  ++progress_.sights_of_work;
  EXPECT_FALSE(IsStalledAt(9));
  EXPECT_FALSE(IsStalledAt(18));
  EXPECT_TRUE(IsStalledAt(19));
}

TEST_F(StallClockTest, APhaseWithALimitOfItsOwnIsLeftAlone) {
  progress_.SetPhase("before the backup", /*has_own_limit=*/true);
  EXPECT_FALSE(IsStalledAt(0));
  EXPECT_FALSE(IsStalledAt(10000));
  progress_.SetPhase("locking");
  EXPECT_FALSE(IsStalledAt(20000));
  EXPECT_TRUE(IsStalledAt(20010));
}

TEST(StallWatch, EndsARunAndAbandonsOneThatDoesNotEnd) {
  FakeEnvironment environment;
  const Progress progress;
  Cancellation stalled, abandoned;
  const StallWatch watch(
      seconds(10), progress, environment, [&] { stalled.Cancel(); }, [&] { abandoned.Cancel(); });
  const auto patience = std::chrono::steady_clock::now() + seconds(60);
  while (!abandoned.IsCancelled() && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  EXPECT_TRUE(stalled.IsCancelled());
  EXPECT_TRUE(abandoned.IsCancelled());
}

TEST(StallWatch, SaysHowLongAndWhere) {
  const Error error = Stalled(seconds(3600), "dumping");
  EXPECT_EQ(error.message(),
            "no progress within pgbackup.stall_timeout (3600 s), in phase \"dumping\"");
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable) << "worth a retry";
}

}  // namespace
}  // namespace pgbackup
