#include "core/base/deadline.h"

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

TEST(Deadline, IsOverAfterItsTimeAndNotBefore) {
  const auto begin = std::chrono::steady_clock::now();
  const Deadline limit(milliseconds(50), nullptr);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_TRUE(limit.IsOver());
}

TEST(Deadline, OfNoTimeIsOverAtOnce) {
  const Deadline limit(milliseconds(0), nullptr);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_TRUE(limit.IsOver());
}

TEST(Deadline, EndsWithTheOtherAndIsNotOverThen) {
  Cancellation other;
  const Deadline limit(hours(1), &other);
  EXPECT_FALSE(limit.cancellation().IsCancelled());
  other.Cancel();
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_FALSE(limit.IsOver());
}

TEST(Deadline, OfWhatHasEndedAlreadyEndsAtOnce) {
  Cancellation other;
  other.Cancel();
  const Deadline limit(hours(1), &other);
  EXPECT_TRUE(IsSetSoon(limit.cancellation()));
  EXPECT_FALSE(limit.IsOver());
}

TEST(Deadline, GoesWithoutWaitingForItsTime) {
  const auto begin = std::chrono::steady_clock::now();
  Cancellation other;
  {
    const Deadline limit(hours(1), &other);
    EXPECT_FALSE(limit.IsOver());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
  EXPECT_FALSE(other.IsCancelled());
}

}  // namespace
}  // namespace pgbackup
