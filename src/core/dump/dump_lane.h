// One program of a backup, from its start to its finished object.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/dump/dump_plan.h"
#include "core/dump/lane_output.h"
#include "core/dump/table_names.h"
#include "core/process/program.h"

namespace pgbackup {

struct DumpLaneContext {
  const Programs& programs;
  std::string connection;              // for -d
  std::string maintenance_connection;  // for pg_dumpall's -l
  const ArchiveNames& names;
  const LaneOutputContext& output;
  const Cancellation& cancellation;
};

// Runs the program and stores what it writes. The object is finished only after the program has
// exited with status 0 and, of an archive, the contents are the expected ones; any failure throws
// and leaves nothing.
ManifestObject RunDumpLane(const DumpObject& object, const DumpLaneContext& context);

}  // namespace pgbackup
