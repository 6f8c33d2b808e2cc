// One program of a restore, fed with one object of the backup.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/manifest/manifest.h"
#include "core/process/program.h"
#include "core/restore/memory_file.h"
#include "core/restore/restore_plan.h"
#include "core/run/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct RestoreLaneContext {
  const Programs& programs;
  std::string connection;  // for -d
  Storage& storage;
  std::string folder;
  const Manifest& manifest;
  Progress& progress;
  const Cancellation& cancellation;
};

// Reads a small object whole, verified, before any program sees it.
void LoadObject(const ManifestObject& object, const RestoreLaneContext& context,
                const MemoryFile& file);

// Runs the task's program. `file` holds the object when the task is from memory, else it is null
// and the object is streamed and verified on the way. `list`, unless null, holds the entries to
// restore (-L). Returns when the program has exited with status 0 and every byte was the stored
// one; throws otherwise.
void RunRestoreLane(const RestoreTask& task, const MemoryFile* file, const MemoryFile* list,
                    const RestoreLaneContext& context);

}  // namespace pgbackup
