#include "core/restore/plan/restore_schedule.h"

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {

RestoreSchedule::RestoreSchedule(std::vector<ScheduledTask> tasks)
    : tasks_(std::move(tasks)), ways_(tasks_.size()), states_(tasks_.size(), State::kWaiting) {
  // Whoever comes after a task has a larger index, so its way is known already.
  for (size_t task = tasks_.size(); task-- > 0;) {
    ways_[task] += tasks_[task].cost;
    for (const size_t before : tasks_[task].after) {
      if (before >= task)
        throw Error(ErrorKind::kInternal, "a task of the restore waits for a later one");
      ways_[before] = std::max(ways_[before], ways_[task]);
    }
  }
}

bool RestoreSchedule::MayBegin(size_t task) const {
  const std::vector<size_t>& after = tasks_[task].after;
  return states_[task] == State::kWaiting &&
         std::all_of(after.begin(), after.end(),
                     [&](size_t before) { return states_[before] == State::kDone; });
}

std::vector<size_t> RestoreSchedule::Ready() const {
  std::vector<size_t> ready;
  for (size_t task = 0; task < tasks_.size(); ++task)
    if (MayBegin(task)) ready.push_back(task);
  std::stable_sort(ready.begin(), ready.end(),
                   [&](size_t one, size_t other) { return ways_[one] > ways_[other]; });
  return ready;
}

size_t RestoreSchedule::FirstOpen() const {
  return static_cast<size_t>(std::find_if(states_.begin(), states_.end(),
                                          [](State state) { return state != State::kDone; }) -
                             states_.begin());
}

}  // namespace pgbackup
