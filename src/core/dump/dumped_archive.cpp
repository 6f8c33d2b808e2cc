#include "core/dump/dumped_archive.h"

#include <utility>

namespace pgbackup {

void DumpedArchive::OnEntry(TocEntry entry) {
  tables_.Add(entry);
  if (entry.kind != "TABLE DATA") return;
  const QualifiedName name{entry.schema, entry.tag};
  names_.try_emplace(entry.id, name);
  // Configuration tables of extensions are never planned.
  progress_.Meet(NameInUtf8(name, names_in_utf8_));
}

void DumpedArchive::OnData(int64_t entry_id, std::span<const std::byte> data) {
  if (entry_id != entry_id_) {
    EndTable();
    BeginTable(entry_id);
  }
  rows_.Add(data);
}

void DumpedArchive::OnLargeObject(uint32_t oid) {
  EndTable();
  large_objects_.Begin(oid);
}

void DumpedArchive::BeginTable(int64_t entry_id) {
  entry_id_ = entry_id;
  if (const auto name = names_.find(entry_id_); name != names_.end())
    progress_.Begin(NameInUtf8(name->second, names_in_utf8_));
}

void DumpedArchive::EndTable() {
  const RowFingerprint rows = rows_.Finish();
  const auto name = names_.find(std::exchange(entry_id_, kNoEntry));
  if (name == names_.end()) return;
  fingerprints_.push_back({name->second, rows});
  progress_.End(NameInUtf8(name->second, names_in_utf8_));
}

std::vector<TableFingerprint> DumpedArchive::TakeFingerprints() {
  EndTable();
  const RowFingerprint objects = large_objects_.Finish();
  if (objects.rows > 0) fingerprints_.push_back({LargeObjectsName(), objects});
  return std::move(fingerprints_);
}

}  // namespace pgbackup
