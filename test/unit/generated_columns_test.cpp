#include "core/dump/generated_columns.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

GeneratedTable Table(const char* oid, uint64_t pages, bool can_split = true) {
  return {oid, {"s", "T \"1\""}, "a, \"B\"", pages, can_split};
}

DumpTable Selected(const char* oid) {
  DumpTable table;
  table.oid = oid;
  return table;
}

TEST(GeneratedColumns, AreReadWithAllOthersInTheEncodingOfTheDump) {
  EXPECT_EQ(
      CopyGeneratedSql(Table("1", 5), {}, "LATIN1"),
      "COPY (SELECT a, \"B\" FROM ONLY \"s\".\"T \"\"1\"\"\") TO STDOUT WITH (ENCODING 'LATIN1')");
  EXPECT_EQ(
      CopyGeneratedSql(Table("1", 5), PageRange{2, 4}, "UTF8"),
      "COPY (SELECT a, \"B\" FROM ONLY \"s\".\"T \"\"1\"\"\" WHERE ctid "
      "OPERATOR(pg_catalog.>=) '(2,0)' AND ctid OPERATOR(pg_catalog.<) '(4,0)') TO STDOUT WITH "
      "(ENCODING 'UTF8')");
}

TEST(GeneratedColumns, OnlyOfWhatIsDumpedAndLargeTablesInPieces) {
  const std::vector<GeneratedTable> tables = {Table("1", 10), Table("2", 11), Table("3", 11, false),
                                              Table("4", 1)};
  const std::vector<GeneratedPiece> pieces =
      PlanGenerated(tables, {Selected("1"), Selected("2"), Selected("3")}, 5);
  ASSERT_EQ(pieces.size(), 6u);
  EXPECT_EQ(pieces[0].pages, (PageRange{0, 5}));
  EXPECT_EQ(pieces[1].pages, (PageRange{5, std::nullopt}));
  EXPECT_EQ(pieces[4].pages, (PageRange{10, std::nullopt}));
  EXPECT_EQ(pieces[5].table.oid, "3");
  EXPECT_EQ(pieces[5].pages, std::nullopt);
}

}  // namespace
}  // namespace pgbackup
