// From a job to its outcome, with the real machine behind it.
#pragma once

#include <functional>
#include <string>

#include "core/run/job.h"
#include "core/run/run_context.h"

namespace pgbackup {

// `announce_stored` and `log` are those of the RunContext.
RunOutcome RunJob(const Job& job, Cancellation& cancellation, Progress& progress,
                  const std::function<void(const boost::json::object&)>& announce_stored,
                  const std::function<void(const std::string&)>& log);

}  // namespace pgbackup
