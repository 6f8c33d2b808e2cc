#include "core/dump/table_names.h"

namespace pgbackup {

ArchiveNames MakeArchiveNames(const std::vector<DumpTable>& tables) {
  ArchiveNames names;
  for (const DumpTable& table : tables)
    if (table.name != table.dump_name) names.emplace(table.dump_name, table.name);
  return names;
}

FingerprintList CollectFingerprints(const std::vector<ManifestObject>& objects,
                                    const ArchiveNames& names) {
  FingerprintList all;
  for (const ManifestObject& object : objects)
    for (const TableFingerprint& one : object.fingerprints) {
      // That of a part of a table comes from the plan, which is in UTF-8.
      const auto name = object.kind == ObjectKind::kArchive ? names.find(one.table) : names.end();
      all[name == names.end() ? one.table : name->second] += one.rows;
    }
  return all;
}

}  // namespace pgbackup
