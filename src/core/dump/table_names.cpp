#include "core/dump/table_names.h"

namespace pgbackup {

ArchiveNames MakeArchiveNames(const std::vector<DumpTable>& tables) {
  ArchiveNames names;
  for (const DumpTable& table : tables)
    if (table.name != table.dump_name) names.emplace(table.dump_name, table.name);
  return names;
}

const QualifiedName& NameInUtf8(const QualifiedName& name, const ArchiveNames& names) {
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

FingerprintList CollectFingerprints(const std::vector<ManifestObject>& objects,
                                    const ArchiveNames& names) {
  FingerprintList all;
  for (const ManifestObject& object : objects)
    for (const TableFingerprint& one : object.fingerprints) {
      // That of a part of a table comes from the plan, which is in UTF-8.
      const bool is_archive = object.kind == ObjectKind::kArchive;
      all[is_archive ? NameInUtf8(one.table, names) : one.table] += one.rows;
    }
  return all;
}

}  // namespace pgbackup
