#include "core/restore/plan/dangling_grants.h"

#include <gtest/gtest.h>

#include "core/archive/archived_text.h"

namespace pgbackup {
namespace {

bool IsGoneHere(const std::string& role) {
  return role != "4711";
}

TocEntry Grants(int64_t id, const char* tag, const char* sql) {
  TocEntry entry{id, "ACL", tag, "public", {}};
  entry.privileges = sql;
  return entry;
}

std::string ArchiveOf(const ArchiveToc& toc) {
  std::string archive = "PGDMP";
  for (const TocEntry& entry : toc.entries) archive += ArchivedText(entry.privileges, 4) + "\1rest";
  return archive;
}

TEST(DanglingGrants, AreThoseOfNumbersThatAreNoRoles) {
  ArchiveToc toc;
  toc.entries.push_back(Grants(1, "TABLE a", "GRANT SELECT ON TABLE public.a TO \"16999\";\n"));
  toc.entries.push_back(Grants(2, "TABLE b", "GRANT SELECT ON TABLE public.\"1\" TO web;\n"));
  toc.entries.push_back(Grants(3, "TABLE c", "GRANT SELECT ON TABLE public.c TO \"4711\";\n"));
  toc.entries.push_back(Grants(4, "TABLE d", "GRANT SELECT ON TABLE public.d TO \"a1\";\n"));
  toc.entries.push_back(Grants(5, "TABLE e", "GRANT \"never ends"));
  EXPECT_EQ(DanglingGrants(toc, IsGoneHere), (std::vector<int64_t>{1}));
}

TEST(DanglingGrants, AreBlankedWithoutAnythingElse) {
  const char* const mixed =
      "REVOKE ALL ON TABLE public.a FROM web;\nGRANT SELECT ON TABLE public.a TO \"16999\";\n"
      "SET SESSION AUTHORIZATION \"16999\";\nGRANT INSERT ON TABLE public.a TO web;\n"
      "RESET SESSION AUTHORIZATION;\n";
  ArchiveToc toc;
  toc.entries.push_back(Grants(1, "TABLE x", "GRANT SELECT ON TABLE public.x TO web;\n"));
  toc.entries.push_back(Grants(2, "TABLE a", mixed));
  toc.entries.push_back(Grants(3, "TABLE a", mixed));  // as that of another archive might be
  const std::string before = ArchiveOf(toc);
  std::string archive = before;
  EXPECT_EQ(BlankGrants({2}, IsGoneHere, 4, &toc, &archive),
            (std::vector<std::string>{"TABLE a (public)"}));
  EXPECT_EQ(archive.size(), before.size());
  EXPECT_EQ(archive, ArchiveOf(toc));
  EXPECT_EQ(toc.entries[0].privileges, "GRANT SELECT ON TABLE public.x TO web;\n");
  EXPECT_EQ(toc.entries[2].privileges, mixed);
  const std::string& blanked = toc.entries[1].privileges;
  EXPECT_EQ(blanked.find("16999"), std::string::npos);
  for (const char* const kept :
       {"REVOKE ALL ON TABLE public.a FROM web;", "GRANT INSERT ON TABLE public.a TO web;",
        "RESET SESSION AUTHORIZATION;"})
    EXPECT_NE(blanked.find(kept), std::string::npos) << kept;
}

}  // namespace
}  // namespace pgbackup
