// The `webhook` job: tells others what became of runs.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Sends each notice of the job to those URLs whose marks it names, to each in the notices' order;
// at one that fails, the rest of that URL's wait for another job. URLs are called side by side,
// each for twenty seconds at most. The outcome is that of a DeliveryReport with all URLs of the
// file, known or not. Throws nothing. No URL gets into a text.
RunOutcome RunWebhook(const WebhookJob& job, const RunContext& context);

}  // namespace pgbackup
