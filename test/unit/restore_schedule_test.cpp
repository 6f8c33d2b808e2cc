#include "core/restore/plan/restore_schedule.h"

#include <algorithm>

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

using Tasks = std::vector<size_t>;

// Runs a schedule on `lanes` lanes whose tasks take as long as they cost. Returns the tasks in the
// order in which they began, and through `end` how long all took.
Tasks Simulate(const std::vector<ScheduledTask>& tasks, size_t lanes, uint64_t* end) {
  RestoreSchedule schedule(tasks);
  std::vector<std::pair<uint64_t, size_t>> running;  // (when it ends, task)
  Tasks order;
  uint64_t now = 0;
  while (!schedule.AllDone()) {
    for (Tasks ready = schedule.Ready(); !ready.empty() && running.size() < lanes;
         ready = schedule.Ready()) {
      schedule.Begin(ready.front());
      running.emplace_back(now + tasks[ready.front()].cost, ready.front());
      order.push_back(ready.front());
    }
    const auto next = std::min_element(running.begin(), running.end());
    now = next->first;
    schedule.Done(next->second);
    running.erase(next);
  }
  *end = now;
  return order;
}

TEST(RestoreSchedule, WhatComesAfterSomethingWaitsForAllOfIt) {
  RestoreSchedule schedule({{1, {}}, {1, {}}, {1, {0, 1}}});
  EXPECT_EQ(schedule.Ready(), (Tasks{0, 1}));
  schedule.Begin(0);
  EXPECT_EQ(schedule.Ready(), (Tasks{1}));
  schedule.Begin(1);
  schedule.Done(1);
  EXPECT_TRUE(schedule.Ready().empty());
  EXPECT_EQ(schedule.FirstOpen(), 0u);
  schedule.Done(0);
  EXPECT_EQ(schedule.Ready(), (Tasks{2}));
  EXPECT_EQ(schedule.FirstOpen(), 2u);
  schedule.Begin(2);
  EXPECT_FALSE(schedule.AllDone());
  schedule.Done(2);
  EXPECT_TRUE(schedule.AllDone());
}

TEST(RestoreSchedule, TheLongestWayGoesFirstAndEqualsInTheirOrder) {
  // Task 2 is short, but a long one hangs on it.
  RestoreSchedule schedule({{5, {}}, {7, {}}, {1, {}}, {5, {}}, {10, {2}}});
  EXPECT_EQ(schedule.Ready(), (Tasks{2, 1, 0, 3}));
}

TEST(RestoreSchedule, RowsComeBeforeBuildsUnlessTheBuildsAreTheLongestWay) {
  // Rows of tables A, B, C; then the builds of A (after 0) and B (after 1).
  uint64_t end = 0;
  EXPECT_EQ(Simulate({{60, {}}, {50, {}}, {40, {}}, {20, {0}}, {20, {1}}}, 1, &end),
            (Tasks{0, 1, 2, 3, 4}));
  EXPECT_EQ(Simulate({{60, {}}, {50, {}}, {40, {}}, {80, {0}}, {20, {1}}}, 1, &end),
            (Tasks{0, 3, 1, 2, 4}));
}

TEST(RestoreSchedule, TwoLanesEndTogetherWhenOneTableOutweighsTheOthers) {
  // A table of 40 whose constraint and index take 15 each, one after the other, and seven of 10:
  // 140 in all.
  std::vector<ScheduledTask> tasks(7, ScheduledTask{10, {}});
  tasks.push_back({40, {}});
  tasks.push_back({15, {7}});
  tasks.push_back({15, {8}});
  uint64_t end = 0;
  Simulate(tasks, 2, &end);
  EXPECT_EQ(end, 70u);
}

TEST(RestoreSchedule, ATaskThatWaitsForALaterOneIsRefused) {
  const std::vector<ScheduledTask> later = {{1, {1}}, {1, {}}};
  const std::vector<ScheduledTask> itself(1, ScheduledTask{1, {0}});
  EXPECT_EQ(ErrorOf([&] { RestoreSchedule schedule(later); }).kind(), ErrorKind::kInternal);
  EXPECT_EQ(ErrorOf([&] { RestoreSchedule schedule(itself); }).kind(), ErrorKind::kInternal);
}

TEST(RestoreSchedule, NothingToDoIsDone) {
  EXPECT_TRUE(RestoreSchedule(std::vector<ScheduledTask>()).AllDone());
}

}  // namespace
}  // namespace pgbackup
