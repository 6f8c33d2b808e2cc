// What a restore would do, told without doing it.
#pragma once

#include <string>
#include <vector>

#include "core/job/run_context.h"
#include "core/process/program.h"
#include "core/restore/preflight/preflight.h"

namespace pgbackup {

struct DryRunContext {
  const RestoreJob& job;
  const Manifest& manifest;
  Storage& storage;
  const Programs& programs;
  const RestoreContents& contents;
  const std::vector<std::string> notes;  // what else there is to say, without full stops
  const RunContext& run;
};

// What the target is now.
enum class RestoreTarget { kNew, kEmpty, kReplaced };

// Reads and proves every object that the restore would read, as many at once as it has jobs; names
// all that are damaged in one error. The outcome's message says in one line what would be done, its
// detail in one line each what, how long and with how much room. Changes nothing.
RunOutcome DryRun(const Preflight& preflight, RestoreTarget target, const DryRunContext& context);

}  // namespace pgbackup
