#include "core/dump/planned_tables.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

DumpObject ArchiveOf(std::set<QualifiedName> rows) {
  DumpObject object;
  object.expected.rows = std::move(rows);
  return object;
}

DumpObject RangeOf(const QualifiedName& table) {
  DumpObject object;
  object.kind = ObjectKind::kCopy;
  object.tables = {table};
  return object;
}

TEST(PlannedTables, ARangeIsAPieceAndNamesAreInUtf8) {
  const QualifiedName big{"s", "gro\u00df"}, huge{"s", "huge"};
  const ArchiveNames names{{{"s", "gro\xdf"}, big}};
  TableProgress tables;
  PlanTables(
      {ArchiveOf({}), ArchiveOf({{"s", "gro\xdf"}, {"s", "small"}}), RangeOf(huge), RangeOf(huge)},
      names, &tables);
  EXPECT_EQ(tables.Now()->total, 3u);
  tables.Begin(big);
  EXPECT_EQ(tables.Now()->current, std::vector<QualifiedName>{big});
  tables.End(huge);
  EXPECT_EQ(tables.Now()->done, 0u);
  tables.End(huge);
  EXPECT_EQ(tables.Now()->done, 1u);
}

TEST(PlannedTables, AScriptDoesNotTell) {
  DumpObject script = ArchiveOf({{"s", "t"}});
  script.kind = ObjectKind::kSql;
  TableProgress tables;
  PlanTables({script, DumpObject()}, {}, &tables);
  EXPECT_FALSE(tables.Now());
}

}  // namespace
}  // namespace pgbackup
