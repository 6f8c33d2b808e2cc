#include "core/archive/archive_check.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

ArchiveTables TablesOf(const std::vector<std::pair<std::string, QualifiedName>>& entries) {
  ArchiveTables tables;
  for (const auto& [kind, name] : entries) {
    TocEntry entry;
    entry.kind = kind;
    entry.schema = name.schema;
    entry.tag = name.name;
    tables.Add(entry);
  }
  return tables;
}

const QualifiedName kA = {"s", "a"}, kB = {"s", "b"};

TEST(ArchiveCheck, AcceptsWhatWasPlannedAndMore) {
  const ArchiveTables tables = TablesOf({{"SCHEMA", {"", "s"}},
                                         {"TABLE", kA},
                                         {"TABLE", kB},
                                         {"TABLE DATA", kA},
                                         {"SEQUENCE SET", kB}});
  ExpectedContents expected;
  EXPECT_NO_THROW(CheckArchive(tables, expected, "x"));
  expected.tables = {kA, kB};
  expected.rows = {kA};
  expected.no_rows = {kB};
  EXPECT_NO_THROW(CheckArchive(tables, expected, "x"));
  expected.only_these_rows = true;
  EXPECT_NO_THROW(CheckArchive(tables, expected, "x"));
}

TEST(ArchiveCheck, NamesTheObjectAndTheTableThatDoNotFit) {
  struct Row {
    ArchiveTables tables;
    ExpectedContents expected;
    const char* message;
  };
  const Row rows[] = {
      {TablesOf({{"TABLE DATA", kA}}),
       {{kA}, {}, {}, false},
       "object \"x\" lacks the definition of table \"s\".\"a\""},
      {TablesOf({{"TABLE", kA}, {"SEQUENCE SET", kA}}),
       {{kA}, {kA}, {}, false},
       "object \"x\" lacks the rows of table \"s\".\"a\""},
      {TablesOf({{"TABLE DATA", {"other", "a"}}}),
       {{}, {kA}, {}, false},
       "object \"x\" lacks the rows of table \"s\".\"a\""},
      {TablesOf({{"TABLE DATA", kA}, {"TABLE DATA", kB}}),
       {{}, {kA}, {}, true},
       "object \"x\" holds rows that are not its own, of table \"s\".\"b\""},
      {TablesOf({{"TABLE DATA", kA}}),
       {{}, {}, {kA}, false},
       "object \"x\" holds rows that are not its own, of table \"s\".\"a\""},
  };
  for (const Row& row : rows) {
    const Error error = ErrorOf([&] { CheckArchive(row.tables, row.expected, "x"); });
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_EQ(error.message(), row.message);
    EXPECT_FALSE(error.hint().empty());
  }
}

}  // namespace
}  // namespace pgbackup
