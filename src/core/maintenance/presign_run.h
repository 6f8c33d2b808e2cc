// The `presign` job: URLs for the objects of a backup.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Makes the outcome's field "urls": an array of {name, url} in the order of the job. Throws
// nothing.
RunOutcome RunPresign(const PresignJob& job, const RunContext& context);

}  // namespace pgbackup
