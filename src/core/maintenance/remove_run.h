// A job that removes a backup, or what an interrupted run has left, from the storage.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

RunOutcome RunRemove(const RemoveJob& job, const RunContext& context);

}  // namespace pgbackup
