// The `drop` job: ends what a restore that was killed has left on the server, or the database that
// one has replaced.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Drops the side database of restore `job.id` or, given its OID, the kept database, if it is there.
// Throws nothing.
RunOutcome RunDrop(const DropJob& job, const RunContext& context);

}  // namespace pgbackup
