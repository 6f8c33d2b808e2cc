// What a restore has done, in words.
#pragma once

#include <string>

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Of one that has completed.
std::string RestoreInWords(const RestoreJob& job, const RunOutcome& outcome);

}  // namespace pgbackup
