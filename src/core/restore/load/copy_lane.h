// One object of kind `copy`, fed to a COPY on a connection of our own.
#pragma once

#include "core/restore/load/restore_lane.h"

namespace pgbackup {

// Returns when the server has committed the rows. It is asked to only after every byte of the
// object proved to be the stored one, so that what throws leaves no row.
void RunCopyLane(const ManifestObject& object, const RestoreLaneContext& context);

}  // namespace pgbackup
