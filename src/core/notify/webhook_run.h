// The `webhook` job: tells others what became of runs.
#pragma once

#include "core/run/job.h"
#include "core/run/run_context.h"

namespace pgbackup {

// Sends the notices of the job, each URL its own in their order; at one that fails, the rest of
// that URL's wait for another job. The outcome's fields: `notices`, an array of {id, done,
// reached}, and `failure`, the first one in a sentence, or null. Throws nothing. No URL gets into a
// text.
RunOutcome RunWebhook(const WebhookJob& job, const RunContext& context);

}  // namespace pgbackup
