// The `contents` job: what is in a backup, from the tables of contents of its archives.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Makes the outcome's field "entries" (docs/job-protocol.md), reading no more of each archive than
// its beginning. Throws nothing.
RunOutcome RunContents(const ContentsJob& job, const RunContext& context);

}  // namespace pgbackup
