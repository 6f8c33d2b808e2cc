#include "core/archive/toc_reader.h"

#include "archive_test_support.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

std::string TwoEntries(int minor) {
  ArchiveHead head(minor);
  head.Integer(2);
  head.Entry(215, "TABLE", "My Schema", "a b\nc", {6, 7});
  head.Entry(216, "SCHEMA", "", "x", {});
  return head.bytes();
}

TEST(ArchiveToc, ReadsEveryVersionThatPgDump10To18Writes) {
  for (const int minor : {12, 13, 14, 15, 16}) {
    const auto toc = ParseArchiveToc(TwoEntries(minor) + "what follows");
    ASSERT_TRUE(toc.has_value()) << minor;
    ASSERT_EQ(toc->entries.size(), 2u);
    EXPECT_EQ(toc->entries[0].id, 215);
    EXPECT_EQ(toc->entries[0].kind, "TABLE");
    EXPECT_EQ(toc->entries[0].schema, "My Schema");
    EXPECT_EQ(toc->entries[0].tag, "a b\nc");
    EXPECT_EQ(toc->entries[0].oid, 16384u);
    EXPECT_EQ(toc->entries[0].depends_on, (std::vector<int64_t>{6, 7}));
    EXPECT_EQ(toc->entries[1].schema, "");
  }
}

TEST(TocReader, ReadsWhatComesInPieces) {
  const std::string archive = TwoEntries(14) + "what follows";
  const ArchiveToc whole = ParseArchiveToc(archive).value();
  for (size_t piece = 1; piece <= archive.size(); ++piece) {
    ArchiveToc toc;
    TocReader reader(toc);
    EXPECT_FALSE(reader.IsComplete());
    for (size_t at = 0; at < archive.size(); at += piece) {
      const bool is_complete = reader.Read(std::string_view(archive).substr(at, piece));
      EXPECT_EQ(is_complete, reader.IsComplete());
    }
    EXPECT_TRUE(reader.IsComplete());
    ASSERT_EQ(toc.entries.size(), 2u) << piece;
    for (size_t i = 0; i < toc.entries.size(); ++i) {
      EXPECT_EQ(toc.entries[i].id, whole.entries[i].id);
      EXPECT_EQ(toc.entries[i].tag, whole.entries[i].tag);
      EXPECT_EQ(toc.entries[i].depends_on, whole.entries[i].depends_on);
    }
  }
}

TEST(ArchiveToc, KnowsWhomItsEntriesNeed) {
  ArchiveHead head(16);
  head.Integer(2);
  head.Entry(1, "TABLE", "s", "t", {}, "CREATE TABLE s.t (a integer);\n");
  head.Entry(2, "ACL", "s", "TABLE t", {}, "GRANT SELECT ON TABLE s.t TO r;\n");
  const ArchiveToc toc = ParseArchiveToc(head.bytes()).value();
  EXPECT_EQ(toc.entries[0].owner, "owner");
  EXPECT_EQ(toc.entries[0].tablespace, "");
  EXPECT_EQ(toc.entries[0].privileges, "");
  EXPECT_EQ(toc.entries[1].privileges, "GRANT SELECT ON TABLE s.t TO r;\n");
}

TEST(ArchiveToc, KnowsWhereRowsFindTheirPartitions) {
  ArchiveHead head(14);
  head.Integer(3);
  head.Entry(1, "TABLE DATA", "s", "p", {}, "-- load via partition root s.\"P p\"", 3,
             "COPY s.\"P p\" (a) FROM stdin;\n");
  head.Entry(2, "TABLE DATA", "s", "t", {}, "", 3, "COPY s.t (a) FROM stdin;\n");
  head.Entry(3, "FUNCTION", "s", "f()", {}, "CREATE FUNCTION s.f() …");
  const ArchiveToc toc = ParseArchiveToc(head.bytes()).value();
  EXPECT_EQ(toc.entries[0].root, "s.\"P p\"");
  EXPECT_EQ(toc.entries[1].root, "");
  EXPECT_EQ(toc.entries[1].routine, "");
  EXPECT_EQ(toc.entries[2].routine, "CREATE FUNCTION s.f() …");
}

TEST(ArchiveToc, KnowsTheSectionAndWhatTakesStrongerLocks) {
  ArchiveHead head(14);
  head.Integer(4);
  head.Entry(1, "INDEX", "s", "i", {}, "CREATE INDEX i ON s.t USING btree (a);\n", 4);
  head.Entry(2, "INDEX", "s", "j", {},
             "CREATE INDEX j ON s.t USING btree (a);\n\nALTER TABLE s.t CLUSTER ON j;\n", 4);
  head.Entry(3, "CONSTRAINT", "s", "t c", {}, "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c …", 4);
  head.Entry(4, "TABLE", "s", "t", {}, "CREATE TABLE s.t (a integer);\n", 2);
  const auto toc = ParseArchiveToc(head.bytes());
  ASSERT_TRUE(toc.has_value());
  EXPECT_EQ(toc->entries[0].section, TocSection::kPostData);
  EXPECT_EQ(toc->entries[3].section, TocSection::kPreData);
  EXPECT_FALSE(toc->entries[0].alters_table);
  EXPECT_TRUE(toc->entries[1].alters_table);
  EXPECT_TRUE(toc->entries[2].alters_table);
  EXPECT_FALSE(toc->entries[3].alters_table);
}

TEST(ArchiveToc, WhatHasNoSectionIsInThatOfTheEntryBefore) {
  ArchiveHead head(14);
  head.Integer(5);
  head.Entry(1, "ENCODING", "", "ENCODING", {}, "", 1);
  head.Entry(2, "TABLE", "s", "t", {}, "", 2);
  head.Entry(3, "COMMENT", "s", "TABLE t", {2}, "", 1);
  head.Entry(4, "INDEX", "s", "i", {2}, "", 4);
  head.Entry(5, "COMMENT", "s", "INDEX i", {4}, "", 1);
  const auto toc = ParseArchiveToc(head.bytes());
  ASSERT_TRUE(toc.has_value());
  EXPECT_EQ(toc->entries[0].section, TocSection::kNone);
  EXPECT_EQ(toc->entries[2].section, TocSection::kPreData);
  EXPECT_EQ(toc->entries[4].section, TocSection::kPostData);
}

TEST(ArchiveToc, AsksForMoreWhereverItIsCut) {
  const std::string head = TwoEntries(14);
  for (size_t size = 0; size < head.size(); ++size)
    EXPECT_FALSE(ParseArchiveToc(std::string_view(head).substr(0, size)).has_value()) << size;
}

TEST(ArchiveToc, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ErrorOf([] { ParseArchiveToc("this is not an archive"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([] { ParseArchiveToc(TwoEntries(17)); }).kind(), ErrorKind::kInvalid);
  std::string tar = TwoEntries(14);
  tar[10] = 3;
  EXPECT_EQ(ErrorOf([&] { ParseArchiveToc(tar); }).kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace pgbackup
