// pgbackup restore --all: a server of nothing becomes what the cluster was.
#pragma once

#include <CLI/App.hpp>

#include "cli/backup_address.h"
#include "cli/console.h"
#include "core/job/job.h"

namespace pgbackup {

// Makes all roles and tablespaces that are missing, then restores the newest whole backup of each
// database that `filter` fits, one after the other, as `job` says. A database that cannot be
// restored is told and passed over. UsageError when they are of several clusters. Returns the
// process's exit status: of the first one that failed.
int RunRestoreAll(RestoreJob job, const BackupFilter& filter, const OutputOptions& output,
                  const CLI::App& command);

}  // namespace pgbackup
