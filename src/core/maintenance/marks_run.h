// A job that stores what the catalog says of backups beside their manifests
// (core/manifest/marks.h).
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// What cannot be stored does not keep the rest from being stored: the outcome's field "marks" has
// what became of each.
RunOutcome RunMarks(const MarksJob& job, const RunContext& context);

}  // namespace pgbackup
