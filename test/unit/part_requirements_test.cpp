#include "core/restore/plan/part_requirements.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TocEntry NeedyEntry(int64_t id, const char* kind, const char* tag, const char* owner,
                    const char* tablespace = "", const char* privileges = "") {
  TocEntry entry;
  entry.id = id;
  entry.kind = kind;
  entry.tag = tag;
  entry.owner = owner;
  entry.tablespace = tablespace;
  entry.privileges = privileges;
  return entry;
}

Requirements Everything() {
  Requirements all;
  all.roles = {"a", "anna", "b \"c\"", "grantor", "nobody"};
  all.extensions = {{"citext", "1.6", "public"}, {"hstore", "1.8", "public"}};
  all.tablespaces = {"fast", "slow"};
  return all;
}

ArchiveToc NeedyArchive() {
  ArchiveToc toc;
  toc.entries = {
      NeedyEntry(1, "EXTENSION", "hstore", ""),
      NeedyEntry(2, "TABLE", "t", "a", "slow"),
      NeedyEntry(3, "ACL", "TABLE t", "a", "",
                 "GRANT SELECT ON TABLE s.anna_or_nobody_2 TO \"b \"\"c\"\"\";\n"
                 "SET SESSION AUTHORIZATION grantor;"),
      NeedyEntry(4, "TABLE", "u", "anna", "fast"),
      NeedyEntry(5, "EXTENSION", "citext", ""),
  };
  return toc;
}

TEST(PartRequirements, AreThoseOfTheEntriesThatAreWanted) {
  const Requirements all = Everything();
  const Requirements part =
      PartRequirements(all, all.roles, NeedyArchive(), std::set<int64_t>{1, 2, 3});
  EXPECT_EQ(part.roles, (std::vector<std::string>{"a", "b \"c\"", "grantor"}));
  ASSERT_EQ(part.extensions.size(), 1u);
  EXPECT_EQ(part.extensions[0].name, "hstore");
  EXPECT_EQ(part.tablespaces, (std::vector<std::string>{"slow"}));
}

TEST(PartRequirements, OfAWholeArchiveLeaveOutWhatItDoesNotName) {
  const Requirements all = Everything();
  const Requirements part = PartRequirements(all, all.roles, NeedyArchive(), std::nullopt);
  EXPECT_EQ(part.roles, (std::vector<std::string>{"a", "anna", "b \"c\"", "grantor"}));
  EXPECT_EQ(part.extensions, all.extensions);
  EXPECT_EQ(part.tablespaces, all.tablespaces);
}

TEST(PartRequirements, ComparesRolesInTheEncodingOfTheArchive) {
  Requirements all;
  all.roles = {"m\xc3\xbcller"};
  ArchiveToc toc;
  toc.entries = {NeedyEntry(1, "TABLE", "t", "m\xfcller")};
  EXPECT_EQ(PartRequirements(all, {"m\xfcller"}, toc, std::nullopt).roles, all.roles);
}

}  // namespace
}  // namespace pgbackup
