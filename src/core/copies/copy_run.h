// A job that copies a complete backup from one storage to another.
//
// Every byte is compared with the manifest on its way, and the manifest, the same bytes, comes
// last. What an earlier attempt has left in the target is removed first; a target that holds this
// very manifest already is complete.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

RunOutcome RunCopy(const CopyJob& job, const RunContext& context);

}  // namespace pgbackup
