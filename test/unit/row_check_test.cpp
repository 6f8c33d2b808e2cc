#include "core/restore/compare/row_check.h"

#include <gtest/gtest.h>

#include "error_test_support.h"

namespace pgbackup {
namespace {

TEST(ParseArchiveCopy, TakesTheStatementApart) {
  const struct {
    const char *statement, *target, *columns;
  } cases[] = {
      {"COPY public.t (a, \"b c\") FROM stdin;\n", "public.t", "(a, \"b c\")"},
      {"COPY public.no_columns  FROM stdin;\n", "public.no_columns", ""},
      {"COPY \"a b\".\" FROM stdin;\" (a) FROM stdin;\n", "\"a b\".\" FROM stdin;\"", "(a)"},
      {"COPY s.\"say \"\"(hi)\"\"\" (a) FROM stdin;\n", "s.\"say \"\"(hi)\"\"\"", "(a)"},
  };
  for (const auto& one : cases) {
    const ArchiveCopy copy = ParseArchiveCopy(one.statement);
    EXPECT_EQ(copy.target, one.target);
    EXPECT_EQ(copy.columns, one.columns);
  }
  for (const char* statement : {"", "COPY", "COPY public.t (a)", "INSERT INTO t FROM stdin"})
    EXPECT_EQ(ErrorOf([&] { ParseArchiveCopy(statement); }).kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace pgbackup
