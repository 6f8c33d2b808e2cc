// One program of a restore, fed with one object of the backup.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/manifest/manifest.h"
#include "core/postgres/server_address.h"
#include "core/process/memory_file.h"
#include "core/process/program.h"
#include "core/progress/progress.h"
#include "core/restore/load/restore_errors.h"
#include "core/restore/plan/archive_names.h"
#include "core/restore/plan/archive_selection.h"
#include "core/restore/plan/restore_plan.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct RestoreLaneContext {
  const Programs& programs;
  ConnectionSettings settings;  // of the database to fill
  Storage& storage;
  std::string folder;
  const Manifest& manifest;
  const ArchiveNames& names;  // see NamesInArchives
  Progress& progress;
  const Cancellation& cancellation;
  RestoreErrors* errors;  // takes what the server refuses; null: that ends the restore
  const ArchiveSelection* part = nullptr;  // what is restored; null: everything
};

// Runs the task's program. `file` holds the object when the task is from memory, else it is null
// and the object is streamed and verified on the way. Returns when the program has exited with
// status 0, or has gone to the end past errors if it may, and every byte was the stored one; throws
// otherwise.
void RunRestoreLane(const RestoreTask& task, const MemoryFile* file,
                    const RestoreLaneContext& context);

}  // namespace pgbackup
