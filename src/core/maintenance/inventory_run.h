// What backups lie in a storage: the question behind pgbackup.import().
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Without folders the "completed" event has `folders`, the names of all that hold a manifest. With
// some it has `backups`, {file_name, checksum, file_size, manifest} of each, newest first. Both
// have `unreadable`, {file_name} and the fields of an error of each that cannot be a backup.
//
// Each element of these arrays is a text, itself JSON in ASCII (docs/job-protocol.md), so that one
// with a character that the asking server cannot represent does not spoil the others. When all
// would be more than a server takes in one answer, `deferred` has the folders that are left for
// another question.
RunOutcome RunInventory(const InventoryJob& job, const RunContext& context);

}  // namespace pgbackup
