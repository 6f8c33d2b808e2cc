// The `check` job: tries everything that backups and restores need, and tells how it went.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Makes the outcome's field "rows": an array of {item, status, detail, hint}. What does not work is
// a row, not a failure of the job. Removes what it has written, also when cancelled. Throws
// nothing.
RunOutcome RunCheck(const CheckJob& job, const RunContext& context);

}  // namespace pgbackup
