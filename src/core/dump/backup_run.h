// A backup job from beginning to end.
//
//   check → lock and export a snapshot → all lanes at once → manifest
//
// Any failure, and cancellation, ends all lanes, removes everything stored and is then reported.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

RunOutcome RunBackup(const BackupJob& job, const RunContext& context);

}  // namespace pgbackup
