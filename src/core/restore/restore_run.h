// A restore job from beginning to end.
//
//   read the manifest and the definitions → look at all that it needs → plan → fill a side
//   database, every byte verified → analyze → it takes properties and the target's name at once
//
// Any failure, and cancellation, drops the side database and leaves the target as it was.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

RunOutcome RunRestore(const RestoreJob& job, const RunContext& context);

}  // namespace pgbackup
