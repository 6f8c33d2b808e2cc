// A job that makes this server the one that may remove things from a storage.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// The outcome has `lease` (LeaseToJson) as it is then and, when another server held it, `before`.
RunOutcome RunTakeOver(const TakeOverJob& job, const RunContext& context);

}  // namespace pgbackup
