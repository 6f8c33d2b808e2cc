#include "core/restore/load/schedule_runner.h"

#include <poll.h>

#include <atomic>
#include <mutex>

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(ScheduleRunner, EveryTaskRunsOnceAndNoneBeforeWhatItWaitsFor) {
  const std::vector<ScheduledTask> tasks = {{1, {}},     {1, {0}}, {1, {0}},       {1, {1, 2}},
                                            {1, {0, 3}}, {1, {}},  {1, {4, 5, 2}}, {1, {6}}};
  RestoreSchedule schedule(tasks);
  Cancellation cancellation;
  FirstFailure failure(cancellation);
  std::vector<std::atomic<int>> done(tasks.size());
  std::atomic<bool> early{false};
  size_t last_open = 0;
  RunSchedule(
      schedule, 3,
      [&](size_t task) {
        for (const size_t before : tasks[task].after)
          if (done[before] != 1) early = true;
        ++done[task];
      },
      [&](size_t open) {
        EXPECT_GE(open, last_open);
        last_open = open;
      },
      failure, cancellation);
  failure.Rethrow();
  EXPECT_FALSE(early);
  for (const auto& count : done) EXPECT_EQ(count.load(), 1);
  EXPECT_EQ(last_open, tasks.size() - 1);
}

TEST(ScheduleRunner, AsManyAtOnceAsThereAreLanes) {
  // Each of the two waits for the other: on one lane they would wait for ever.
  RestoreSchedule schedule({{1, {}}, {1, {}}});
  Cancellation cancellation;
  FirstFailure failure(cancellation);
  Cancellation arrived[2];
  RunSchedule(
      schedule, 2,
      [&](size_t task) {
        arrived[task].Cancel();
        pollfd waiting{arrived[1 - task].fd(), POLLIN, 0};
        if (poll(&waiting, 1, 10000) != 1) throw Error(ErrorKind::kInternal, "nobody came");
      },
      [](size_t) {}, failure, cancellation);
  failure.Rethrow();
}

TEST(ScheduleRunner, AFailureEndsTheOthersAndWhatWaitsNeverBegins) {
  RestoreSchedule schedule({{1, {}}, {1, {}}, {1, {0}}, {1, {1}}});
  Cancellation cancellation;
  FirstFailure failure(cancellation);
  std::atomic<bool> begun{false};
  RunSchedule(
      schedule, 3,
      [&](size_t task) {
        if (task == 0) throw Error(ErrorKind::kTool, "the first");
        if (task > 1) begun = true;
        pollfd waiting{cancellation.fd(), POLLIN, 0};
        poll(&waiting, 1, 10000);
        cancellation.ThrowIfCancelled();
      },
      [](size_t) {}, failure, cancellation);
  EXPECT_EQ(ErrorOf([&] { failure.Rethrow(); }).message(), "the first");
  EXPECT_FALSE(begun);
}

}  // namespace
}  // namespace pgbackup
