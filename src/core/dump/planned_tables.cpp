#include "core/dump/planned_tables.h"

namespace pgbackup {

void PlanTables(const std::vector<DumpObject>& plan, const ArchiveNames& names,
                TableProgress* tables) {
  std::vector<QualifiedName> pieces;
  for (const DumpObject& object : plan) {
    if (object.kind == ObjectKind::kSql) return;
    if (object.kind == ObjectKind::kCopy) pieces.push_back(object.tables[0]);
    for (const QualifiedName& table : object.expected.rows)
      pieces.push_back(NameInUtf8(table, names));
  }
  tables->Plan(pieces);
}

}  // namespace pgbackup
