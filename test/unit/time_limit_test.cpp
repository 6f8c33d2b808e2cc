#include "core/hooks/time_limit.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace pgbackup {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Whether it is set, by the time a patient waiter gives up.
bool IsSetSoon(const Cancellation& cancellation) {
  pollfd waiting{cancellation.fd(), POLLIN, 0};
  return poll(&waiting, 1, 10'000) == 1 && cancellation.IsCancelled();
}

TEST(TimeLimit, IsOverAfterItsTimeAndNotBefore) {
  const auto begin = std::chrono::steady_clock::now();
  const TimeLimit limit(milliseconds(50), nullptr);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_TRUE(limit.IsOver());
}

TEST(TimeLimit, OfNoTimeIsOverAtOnce) {
  const TimeLimit limit(milliseconds(0), nullptr);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_TRUE(limit.IsOver());
}

TEST(TimeLimit, EndsWithTheOtherAndIsNotOverThen) {
  Cancellation other;
  const TimeLimit limit(hours(1), &other);
  EXPECT_FALSE(limit.cancellation().IsCancelled());
  other.Cancel();
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_FALSE(limit.IsOver());
}

TEST(TimeLimit, OfWhatHasEndedAlreadyEndsAtOnce) {
  Cancellation other;
  other.Cancel();
  const TimeLimit limit(hours(1), &other);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_FALSE(limit.IsOver());
}

TEST(TimeLimit, GoesWithoutWaitingForItsTime) {
  const auto begin = std::chrono::steady_clock::now();
  Cancellation other;
  {
    const TimeLimit limit(hours(1), &other);
    EXPECT_FALSE(limit.IsOver());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
  EXPECT_FALSE(other.IsCancelled());
}

}  // namespace
}  // namespace pgbackup
