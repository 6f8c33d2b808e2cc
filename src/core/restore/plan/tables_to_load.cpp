#include "core/restore/plan/tables_to_load.h"

#include "core/base/error.h"
#include "core/fingerprint/large_object_fingerprint.h"

namespace pgbackup {

void PlanTablesToLoad(const Manifest& manifest, DumpContent content, const ArchiveSelection* part,
                      const ArchiveNames& names, TableProgress* tables) {
  if (content == DumpContent::kSchema) return tables->Plan({});
  if (manifest.fingerprints.empty()) return;
  std::map<QualifiedName, size_t> ranges;
  for (const ManifestObject& object : manifest.objects) {
    if (object.kind == ObjectKind::kSql) return;
    if (object.kind == ObjectKind::kCopy) ++ranges[object.tables.front()];
  }
  std::vector<QualifiedName> pieces;
  for (const auto& [in_archive, name] : names) {
    const bool is_wanted =
        part == nullptr || part->TakesRowsOf({in_archive.schema, in_archive.name});
    if (!is_wanted || name == LargeObjectsName()) continue;
    const auto found = ranges.find(name);
    pieces.insert(pieces.end(), found == ranges.end() ? 1 : found->second, name);
  }
  tables->Plan(pieces);
}

TableWatch::TableWatch(std::unique_ptr<Sink> next, const std::optional<std::string>& list,
                       const ArchiveNames& names, TableProgress& tables)
    : next_(std::move(next)),
      names_(names),
      tables_(tables),
      archive_(nothing_, *this, "an archive") {
  if (list) wanted_ = EntriesOf(*list);
}

void TableWatch::Write(std::span<const std::byte> data) {
  if (is_readable_) {
    try {
      archive_.Write(data);
    } catch (const Error&) {
      is_readable_ = false;  // pg_restore may know it
    }
  }
  next_->Write(data);
}

void TableWatch::Finish() {
  EndTable();
  next_->Finish();
}

void TableWatch::OnEntry(TocEntry entry) {
  if (entry.kind != "TABLE DATA" || (wanted_ && wanted_->count(entry.id) == 0)) return;
  entries_.try_emplace(entry.id, NameInUtf8({entry.schema, entry.tag}, names_));
}

void TableWatch::OnData(int64_t entry_id, std::span<const std::byte> /*data*/) {
  if (entry_id_ == entry_id) return;
  EndTable();
  entry_id_ = entry_id;
  if (const auto entry = entries_.find(entry_id); entry != entries_.end())
    tables_.Begin(entry->second);
}

void TableWatch::EndTable() {
  if (!entry_id_) return;
  if (const auto entry = entries_.find(*entry_id_); entry != entries_.end())
    tables_.End(entry->second);
  entry_id_.reset();
}

}  // namespace pgbackup
