// Which programs a backup runs and which objects come out of them. Pure: no server, no files.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/archive/archive_check.h"
#include "core/dump/selection.h"
#include "core/dump/table_list.h"
#include "core/manifest/backup_format.h"
#include "core/manifest/table_rows.h"

namespace pgbackup {

// kAuto resolved: one archive for less than `threshold` bytes, else parallel. One archive, too, for
// thousands of tables with few rows: of several programs each reads what the catalogs say of all of
// them, which takes longer than their rows.
DumpFormat ChooseFormat(DumpFormat wanted, uint64_t bytes, size_t tables,
                        uint64_t threshold) noexcept;

struct DumpObject {
  std::string name;  // below the backup's folder, before compression, e.g. "schema.dump"
  ObjectKind kind = ObjectKind::kArchive;
  std::vector<std::string> sections;   // of "pre-data", "data", "post-data"; empty for globals
  std::string program;                 // pg_dump or pg_dumpall; empty for a COPY
  std::vector<std::string> arguments;  // what comes behind the connection's switches
  std::vector<QualifiedName> tables;   // the only ones whose rows it holds, in UTF-8; see Manifest
  std::optional<CopyRange> copy;       // of kind kCopy
  std::string table_oid;               // of kind kCopy: the OID of its table
  ExpectedContents expected;           // of an archive
  uint64_t weight = 0;                 // about how much work it is, in bytes of table
};

struct DumpPlanInput {
  DumpContent content = DumpContent::kAll;
  DumpFormat format = DumpFormat::kCustom;  // not kAuto
  Selection selection;                      // names in the encoding `encoding`
  bool include_globals = true;
  std::string encoding;  // of the dump: the server's, so that nothing is converted
  std::string snapshot;  // as pg_export_snapshot() names it
  int64_t lock_wait_timeout_ms = 60000;
  int pg_dump_major = 0;

  // What is backed up, measured when the format is kParallel.
  std::vector<DumpTable> tables;
  uint64_t large_object_bytes = 0;
  int64_t jobs = 2;
  uint64_t split_bytes = 16ull << 30;
  // The columns of a table that is to be split, see CopyColumns.
  std::function<std::vector<std::string>(const DumpTable&)> columns_of;
};

// In the order in which they are to be begun.
std::vector<DumpObject> MakeDumpPlan(const DumpPlanInput& input);

}  // namespace pgbackup
