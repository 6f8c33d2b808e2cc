// Work done at the same time, each piece in a thread of its own.
#pragma once

#include <functional>
#include <vector>

#include "core/base/first_failure.h"

namespace pgbackup {

// Runs all of `lanes`, at most `at_most` at once, and returns when every one has ended. What a lane
// throws is recorded in `failure`, which ends the others; lanes not begun by then never are.
void RunLanes(const std::vector<std::function<void()>>& lanes, size_t at_most,
              FirstFailure& failure, const Cancellation& cancellation);

}  // namespace pgbackup
