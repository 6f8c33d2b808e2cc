// From a job to its outcome, with the real machine behind it.
#pragma once

#include <functional>
#include <string>

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// What the run of a job is connected with outside of it: the first three are those of the
// RunContext. `abandon` does not return: it ends a process whose run has been stalled and could not
// be ended.
struct RunSurroundings {
  std::function<void(const boost::json::object&)> announce_stored;
  std::function<void(const std::string&)> log;
  std::function<EndRequest()> end_request;
  std::function<void(const Error&)> abandon;
};

// Gives `run` the context of a job: the machine, the job's storage, its priority, and its end when
// it is stalled.
RunOutcome WithContext(const JobBase& job, Cancellation& cancellation, Progress& progress,
                       const RunSurroundings& around,
                       const std::function<RunOutcome(const RunContext&)>& run);

RunOutcome RunJob(const Job& job, Cancellation& cancellation, Progress& progress,
                  const RunSurroundings& around);

}  // namespace pgbackup
