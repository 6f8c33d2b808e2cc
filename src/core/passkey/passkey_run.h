// The `passkey` job: whether somebody knows the passkey behind a hash.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Makes the outcome's field "right": true or false, which take the same time, as when the job has
// no passkey. Throws nothing.
RunOutcome RunPasskey(const PasskeyJob& job, const RunContext& context);

}  // namespace pgbackup
