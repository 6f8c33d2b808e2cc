// The `mail` job: tells people what became of runs.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Sends a message for each notice to those addresses that it is for, in the notices' order, up to
// the first that the server fails. At one that is not delivered to an address, the rest of that
// address' wait for another job. The outcome is that of a DeliveryReport with all recipients; their
// marks are the addresses. Throws nothing.
RunOutcome RunMail(const MailJob& job, const RunContext& context);

}  // namespace pgbackup
