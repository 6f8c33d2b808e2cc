// What an archive that pg_dump writes holds, and the fingerprints of its rows and large objects;
// tells how far it is with the tables.
#pragma once

#include <map>
#include <vector>

#include "core/archive/archive_check.h"
#include "core/archive/packing_sink.h"
#include "core/dump/table_names.h"
#include "core/fingerprint/large_object_fingerprint.h"
#include "core/fingerprint/row_fingerprint.h"
#include "core/manifest/table_rows.h"
#include "core/progress/table_progress.h"

namespace pgbackup {

class DumpedArchive final : public ArchiveObserver {
 public:
  // Both outlive this.
  DumpedArchive(const ArchiveNames& names_in_utf8, TableProgress& progress)
      : names_in_utf8_(names_in_utf8), progress_(progress) {}

  void OnEntry(TocEntry entry) override;
  void OnData(int64_t entry_id, std::span<const std::byte> data) override;
  void OnLargeObject(uint32_t oid) override;
  void OnLargeObjectData(std::span<const std::byte> data) override { large_objects_.Add(data); }

  const ArchiveTables& tables() const noexcept { return tables_; }
  // Of what has come. Called once.
  std::vector<TableFingerprint> TakeFingerprints();

 private:
  void BeginTable(int64_t entry_id);
  void EndTable();

  static constexpr int64_t kNoEntry = -1;

  const ArchiveNames& names_in_utf8_;
  TableProgress& progress_;
  ArchiveTables tables_;
  std::map<int64_t, QualifiedName> names_;  // of the tables whose rows it holds
  int64_t entry_id_ = kNoEntry;             // whose rows are streaming past
  RowFingerprinter rows_;
  LargeObjectFingerprinter large_objects_;
  std::vector<TableFingerprint> fingerprints_;
};

}  // namespace pgbackup
