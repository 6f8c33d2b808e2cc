// The `undo` job: brings back the database that a restore has replaced.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Gives `job.incoming_database` its name back; what has that name now is kept under
// `job.kept_database`. Throws nothing.
RunOutcome RunUndo(const UndoJob& job, const RunContext& context);

}  // namespace pgbackup
