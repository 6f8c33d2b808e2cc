// The folder of a backup that no server names.
#pragma once

#include <string>

#include "core/base/environment.h"
#include "core/job/job.h"
#include "shared/naming/name_template.h"

namespace pgbackup {

// `name_template` expanded for `job`; {time:…} is local time (TZ). Throws kInvalid when what comes
// out is no name.
std::string BackupName(const std::string& name_template, const BackupJob& job, WallTime now);

// The cluster's name in storage for a server with this cluster_name: as the server's own pgbackup
// would have it.
std::string ClusterNameFor(std::string cluster_name);

}  // namespace pgbackup
