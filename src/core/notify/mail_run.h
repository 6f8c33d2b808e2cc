// The `mail` job: tells people what became of runs.
#pragma once

#include "core/run/job.h"
#include "core/run/run_context.h"

namespace pgbackup {

// Sends a message for each notice, in their order, up to the first that fails. The outcome's fields
// are those of RunWebhook. Throws nothing.
RunOutcome RunMail(const MailJob& job, const RunContext& context);

}  // namespace pgbackup
