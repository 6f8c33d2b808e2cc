// The tables whose rows a restore brings, as its progress counts them: how many there will be, and
// which pass by on the way to pg_restore.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/archive/packing_sink.h"
#include "core/pipeline/null_sink.h"
#include "core/progress/table_progress.h"
#include "core/restore/plan/archive_names.h"
#include "core/restore/plan/archive_selection.h"

namespace pgbackup {

// `names` are those of NamesInArchives, `part` is what a restore of a part takes, null when it
// takes all. Nothing is planned when the backup does not tell which tables it has, or is a script,
// which does not tell where a table begins.
void PlanTablesToLoad(const Manifest& manifest, DumpContent content, const ArchiveSelection* part,
                      const ArchiveNames& names, TableProgress* tables);

// Passes an archive on as it is. One that is not known here passes unwatched.
class TableWatch final : public Sink, private ArchiveObserver {
 public:
  // `list` is what pg_restore is told to take (-L); none: all. `names` and `tables` outlive this.
  TableWatch(std::unique_ptr<Sink> next, const std::optional<std::string>& list,
             const ArchiveNames& names, TableProgress& tables);

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  void OnEntry(TocEntry entry) override;
  void OnData(int64_t entry_id, std::span<const std::byte> data) override;
  void OnLargeObject(uint32_t /*oid*/) override { EndTable(); }
  void EndTable();

  std::unique_ptr<Sink> next_;
  std::optional<std::set<int64_t>> wanted_;  // none: all
  const ArchiveNames& names_;
  TableProgress& tables_;
  std::map<int64_t, QualifiedName> entries_;  // those that bring rows of a table, in UTF-8
  std::optional<int64_t> entry_id_;           // whose data is passing
  bool is_readable_ = true;
  NullSink nothing_;
  PackingSink archive_;
};

}  // namespace pgbackup
