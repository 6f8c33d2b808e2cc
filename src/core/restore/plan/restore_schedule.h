// Which task of a restore begins next. Pure: no threads, no programs.
//
// Of the tasks whose predecessors are done, the one comes first that the longest chain of work
// hangs on: its own cost and the costliest way from it to the end. On few lanes (two, often) no
// order makes the sum of the work any less: rows and indexes both take a processor of the server.
// What an order can lose is the end, where one lane still works off the constraint and the indexes
// of the largest table while the other has nothing left. This one begins that table first. Rows of
// another table come before its index builds while more hangs on those rows, which is the rule, and
// behind them once the builds are the longest way. Small tasks are left for the end, where they
// fill the gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgbackup {

struct ScheduledTask {
  uint64_t cost = 0;          // in any unit that all tasks share
  std::vector<size_t> after;  // tasks that have to be done, all of smaller index
};

class RestoreSchedule {
 public:
  // kInternal when a task waits for one that does not come before it, which could be for ever.
  explicit RestoreSchedule(std::vector<ScheduledTask> tasks);

  // Those that may begin now, the most urgent one first; of equals, that of smaller index.
  std::vector<size_t> Ready() const;
  void Begin(size_t task) { states_[task] = State::kBegun; }
  void Done(size_t task) { states_[task] = State::kDone; }

  // The first task that is not done; the number of tasks when all are.
  size_t FirstOpen() const;
  bool AllDone() const { return FirstOpen() == tasks_.size(); }

 private:
  enum class State : char { kWaiting, kBegun, kDone };
  bool MayBegin(size_t task) const;

  std::vector<ScheduledTask> tasks_;
  std::vector<uint64_t> ways_;  // from the task's beginning to the end, the longest one
  std::vector<State> states_;
};

}  // namespace pgbackup
