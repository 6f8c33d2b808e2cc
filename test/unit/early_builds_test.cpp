#include "core/restore/plan/early_builds.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

// Entries as pg_dump 15 orders and links them: tables big and small, a partitioned table with a
// primary key and an index, and things that depend on functions and on two tables.
ArchiveToc ArchiveOfAllKinds() {
  ArchiveToc toc;
  const auto add = [&](int64_t id, TocSection section, const char* kind, const char* tag,
                       std::vector<int64_t> depends_on = {}, bool alters_table = false) {
    toc.entries.push_back({id, kind, tag, "s", std::move(depends_on), section, alters_table});
  };
  constexpr TocSection kPre = TocSection::kPreData, kPost = TocSection::kPostData;
  add(1, kPre, "SCHEMA", "s");
  add(2, kPre, "FUNCTION", "f(integer)");
  add(3, kPre, "COLLATION", "c");
  add(10, kPre, "TABLE", "big", {1});
  add(11, kPre, "TABLE", "small", {1});
  add(12, kPre, "TABLE", "parted", {1});
  add(13, kPre, "TABLE", "p1", {1, 12});
  add(14, kPre, "TABLE ATTACH", "p1", {13, 12});
  add(40, kPost, "CONSTRAINT", "big big_pkey", {10}, true);
  add(41, kPost, "CONSTRAINT", "small small_pkey", {11}, true);
  add(42, kPost, "CONSTRAINT", "parted parted_pkey", {12}, true);
  add(43, kPost, "CONSTRAINT", "p1 p1_pkey", {13, 42, 13}, true);
  add(44, kPost, "INDEX", "big_a", {10, 3});
  add(45, kPost, "INDEX", "big_f", {10, 2});
  add(46, kPost, "INDEX", "big_clustered", {10}, true);
  add(47, kPost, "INDEX", "big_of_small", {10, 11});
  add(48, kPost, "INDEX", "parted_i", {12});
  add(49, kPost, "INDEX", "p1_i", {13, 48, 13});
  add(50, kPost, "INDEX", "small_i", {11});
  add(51, kPost, "INDEX ATTACH", "p1_i", {49, 48, 13, 12});
  add(52, kPost, "COMMENT", "INDEX big_a", {44});
  add(53, kPost, "FK CONSTRAINT", "big big_small_fkey", {10, 11, 41}, true);
  add(54, kPost, "TRIGGER", "big tr", {10, 2}, true);
  add(55, kPost, "FUNCTION", "late()", {40});
  add(56, kPost, "INDEX", "big_late", {10, 55});
  return toc;
}

std::vector<int64_t> Ids(const std::vector<const TocEntry*>& entries) {
  std::vector<int64_t> ids;
  for (const TocEntry* entry : entries) ids.push_back(entry->id);
  return ids;
}

bool All(const TocEntry&) {
  return true;
}

// All but the index on a function of the database.
bool BuiltIn(const TocEntry& entry) {
  return entry.tag != "big_f";
}

using Expected = std::vector<int64_t>;

TEST(EarlyBuilds, ConstraintsOneByOneAndIndexesAtOnce) {
  const ArchiveToc toc = ArchiveOfAllKinds();
  const EarlyBuilds builds = FindEarlyBuilds(toc, {{"s", "big"}}, All, BuiltIn);
  ASSERT_EQ(builds.tables.size(), 1u);
  EXPECT_EQ(builds.tables[0].name, (QualifiedName{"s", "big"}));
  EXPECT_EQ(Ids(builds.tables[0].one_by_one), (Expected{40, 46}));
  EXPECT_EQ(Ids(builds.tables[0].at_once), (Expected{44}));
  EXPECT_TRUE(builds.before_rows.empty());
}

TEST(EarlyBuilds, AnIndexOfAPartitionBringsThatOfItsParentBeforeTheRows) {
  const ArchiveToc toc = ArchiveOfAllKinds();
  const EarlyBuilds builds = FindEarlyBuilds(toc, {{"s", "p1"}}, All, BuiltIn);
  EXPECT_EQ(Ids(builds.before_rows), (Expected{42, 48}));
  ASSERT_EQ(builds.tables.size(), 1u);
  EXPECT_EQ(Ids(builds.tables[0].one_by_one), (Expected{43}));
  EXPECT_EQ(Ids(builds.tables[0].at_once), (Expected{49}));
}

TEST(EarlyBuilds, OnlyWhatIsWantedAndAPartitionWithoutItsParentStandsForItself) {
  const ArchiveToc toc = ArchiveOfAllKinds();
  const EarlyBuilds builds = FindEarlyBuilds(
      toc, {{"s", "p1"}}, [](const TocEntry& entry) { return entry.id == 49 || entry.id == 13; },
      BuiltIn);
  EXPECT_TRUE(builds.before_rows.empty());
  ASSERT_EQ(builds.tables.size(), 1u);
  EXPECT_TRUE(builds.tables[0].one_by_one.empty());
  EXPECT_EQ(Ids(builds.tables[0].at_once), (Expected{49}));
}

TEST(EarlyBuilds, WithoutLargeTablesThereAreNone) {
  const ArchiveToc toc = ArchiveOfAllKinds();
  const EarlyBuilds builds = FindEarlyBuilds(toc, {}, All, BuiltIn);
  EXPECT_TRUE(builds.tables.empty());
  EXPECT_TRUE(builds.before_rows.empty());
  EXPECT_TRUE(FindEarlyBuilds(toc, {{"other", "big"}}, All, BuiltIn).tables.empty());
}

}  // namespace
}  // namespace pgbackup
