// `pgbackup agent`: does the one job that stands on standard input (docs/job-protocol.md).
#pragma once

namespace pgbackup {

// Returns the process's exit status.
int RunAgent();

}  // namespace pgbackup
