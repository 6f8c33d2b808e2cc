// One program of a backup, from its start to its finished object.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/dump/dump_plan.h"
#include "core/manifest/manifest.h"
#include "core/process/program.h"
#include "core/run/compression.h"
#include "core/run/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct DumpLaneContext {
  const Programs& programs;
  std::string connection;              // for -d
  std::string maintenance_connection;  // for pg_dumpall's -l
  Storage& storage;
  std::string folder;
  Compression compression;
  Progress& progress;
  const Cancellation& cancellation;
};

// Runs the program and stores what it writes, compressed, as `<object.name>` and the suffix of the
// codec. The object is finished only after the program has exited with status 0; any failure throws
// and leaves nothing.
ManifestObject RunDumpLane(const DumpObject& object, const DumpLaneContext& context);

}  // namespace pgbackup
