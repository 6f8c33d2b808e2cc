#include "core/restore/row_check.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(CopyOutSql, TurnsTheStatementOfAnArchiveAround) {
  EXPECT_EQ(CopyOutSql("COPY public.t (a, \"b c\") FROM stdin;\n"),
            "COPY public.t (a, \"b c\") TO STDOUT");
  EXPECT_EQ(CopyOutSql("COPY public.no_columns  FROM stdin;\n"), "COPY public.no_columns  TO STDOUT");
  EXPECT_EQ(CopyOutSql("COPY public.\" FROM stdin;\" (a) FROM stdin;\n"),
            "COPY public.\" FROM stdin;\" (a) TO STDOUT");
}

}  // namespace
}  // namespace pgbackup
