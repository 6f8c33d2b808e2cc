// The `janitor` job: finds, or removes, what unfinished runs have left in the storage.
//
// Looking and removing are two jobs, so that whoever asks can leave out folders that only the
// catalog knows to be somebody's. Removing looks again at each folder first.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Makes the outcome's field "found" as docs/job-protocol.md says. Throws nothing.
RunOutcome RunJanitor(const JanitorJob& job, const RunContext& context);

}  // namespace pgbackup
