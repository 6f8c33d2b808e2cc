// A range of a table's rows, from the server to its finished object, or to their fingerprint.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/dump/dump_plan.h"
#include "core/dump/generated_columns.h"
#include "core/dump/lane_output.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

struct CopyLaneContext {
  const ConnectionSettings& settings;
  std::string snapshot;  // of the run; its transaction stays open meanwhile
  std::string encoding;  // of the rows: the server's
  const LaneOutputContext& output;
  const Cancellation& cancellation;
};

// Copies the rows of `object`, which is of kind kCopy, as text, in the form pg_dump would write
// them. Any failure throws and leaves nothing.
ManifestObject RunCopyLane(const DumpObject& object, const CopyLaneContext& context);

// Reads the rows of a piece with their generated columns, and stores nothing.
RowFingerprint ReadGenerated(const GeneratedPiece& piece, const CopyLaneContext& context);

// The COPY that reads the rows of an object. `columns` are never none.
std::string CopyRangeSql(const QualifiedName& table, const CopyRange& range,
                         const std::string& encoding);

}  // namespace pgbackup
