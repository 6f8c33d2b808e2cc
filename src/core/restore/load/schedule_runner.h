// Runs the tasks of a schedule on lanes, threads of their own.
#pragma once

#include <functional>

#include "core/base/first_failure.h"
#include "core/restore/plan/restore_schedule.h"

namespace pgbackup {

// Runs `task(index)` for every task of the schedule, at most `lanes` at once, and returns when all
// have ended. What one throws is recorded in `failure`, which ends the others; tasks not begun by
// then never are. `first_open` is told the first task that is not done, whenever that changes.
void RunSchedule(RestoreSchedule& schedule, size_t lanes, const std::function<void(size_t)>& task,
                 const std::function<void(size_t)>& first_open, FirstFailure& failure,
                 const Cancellation& cancellation);

}  // namespace pgbackup
