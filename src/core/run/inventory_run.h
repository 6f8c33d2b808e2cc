// What backups lie in a storage: the question behind pgbackup.import().
#pragma once

#include "core/run/job.h"
#include "core/run/run_context.h"

namespace pgbackup {

// Without folders the "completed" event has `folders`, the names of all that hold a manifest. With
// some it has `backups`, an array of {file_name, checksum, file_size, manifest}, newest first, and
// `unreadable`, an array of {file_name, message}.
RunOutcome RunInventory(const InventoryJob& job, const RunContext& context);

}  // namespace pgbackup
