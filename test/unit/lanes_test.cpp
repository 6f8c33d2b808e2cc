#include "core/base/lanes.h"

#include <poll.h>

#include <atomic>
#include <thread>

#include "core/base/deadline.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(Lanes, AllRunAndNoMoreThanAllowedAtOnce) {
  Cancellation cancellation;
  FirstFailure failure(cancellation);
  std::atomic<int> running{0}, most{0}, done{0};
  std::vector<std::function<void()>> lanes(8, [&] {
    const int now = ++running;
    int seen = most.load();
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    --running;
    ++done;
  });
  RunLanes(lanes, 3, failure, cancellation);
  failure.Rethrow();
  EXPECT_EQ(done.load(), 8);
  EXPECT_LE(most.load(), 3);
}

TEST(Lanes, TheFirstFailureEndsTheOthersAndIsTheOneReported) {
  Cancellation cancellation;
  FirstFailure failure(cancellation);
  std::atomic<bool> never_begun{true};
  const std::vector<std::function<void()>> lanes = {
      [&] {
        pollfd waiting{cancellation.fd(), POLLIN, 0};
        poll(&waiting, 1, 10000);
        cancellation.ThrowIfCancelled();
      },
      [] { throw Error(ErrorKind::kTool, "the first"); },
      [&] { never_begun = false; },
  };
  RunLanes(lanes, 2, failure, cancellation);
  EXPECT_EQ(ErrorOf([&] { failure.Rethrow(); }).message(), "the first");
  EXPECT_TRUE(never_begun);
}

TEST(Deadline, ExpiresByItselfAndIsHarmlessWhenNotNeeded) {
  const Deadline soon(std::chrono::milliseconds(20));
  const Deadline late(std::chrono::hours(1));
  pollfd waiting{soon.cancellation().fd(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 5000), 1);
  EXPECT_FALSE(late.cancellation().IsCancelled());
}

}  // namespace
}  // namespace pgbackup
