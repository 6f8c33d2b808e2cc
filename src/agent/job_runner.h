// From a job to its outcome, with the real machine behind it.
#pragma once

#include <functional>
#include <string>

#include "core/run/job.h"
#include "core/run/run_context.h"

namespace pgbackup {

// Gives `run` the context of a job: the machine, the job's storage and its priority.
// `announce_stored`, `log` and `end_request` are those of the RunContext.
RunOutcome WithContext(const JobBase& job, Cancellation& cancellation, Progress& progress,
                       const std::function<void(const boost::json::object&)>& announce_stored,
                       const std::function<void(const std::string&)>& log,
                       const std::function<EndRequest()>& end_request,
                       const std::function<RunOutcome(const RunContext&)>& run);

RunOutcome RunJob(const Job& job, Cancellation& cancellation, Progress& progress,
                  const std::function<void(const boost::json::object&)>& announce_stored,
                  const std::function<void(const std::string&)>& log,
                  const std::function<EndRequest()>& end_request);

}  // namespace pgbackup
