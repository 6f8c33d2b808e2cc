#include "core/dump/large_row.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(LargeRow, IsNamedWithItsSize) {
  const Error of_pg_dump(
      ErrorKind::kTool, "pg_dump of database.dump.zst exited with status 1: Dumping failed",
      "pg_dump: detail: Error message from server: ERROR:  invalid memory alloc request size "
      "1200000003\npg_dump: detail: Command was: COPY \"my schema\".\"Big \"\"one\"\"\" (id, a) TO "
      "stdout;");
  const std::optional<Error> named = LargeRowError(of_pg_dump);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->message(),
            "table \"my schema\".\"Big \"\"one\"\"\" has a row that the server cannot send");
  EXPECT_NE(named->detail().find("1200000003 bytes"), std::string::npos);
  EXPECT_NE(named->detail().find("pg_dump: detail"), std::string::npos);
  EXPECT_EQ(named->kind(), ErrorKind::kTool);
  const Error of_ours(
      ErrorKind::kDatabase, "out of memory",
      "Cannot enlarge string buffer containing 1000000000 bytes by 500 more bytes.");
  EXPECT_EQ(LargeRowError(of_ours, "public.t")->message(),
            "table public.t has a row that the server cannot send");
  EXPECT_NE(LargeRowError(of_ours, "public.t")->detail().find("1000000500 bytes"),
            std::string::npos);
}

TEST(LargeRow, IsNothingElse) {
  EXPECT_FALSE(LargeRowError(Error(ErrorKind::kTool, "pg_dump failed", "out of memory")));
  EXPECT_FALSE(LargeRowError(Error(ErrorKind::kDatabase, "invalid memory alloc request size 7")));
  EXPECT_FALSE(LargeRowError(Error(ErrorKind::kUnavailable, "invalid memory alloc request size 7"),
                             "public.t"));
}

}  // namespace
}  // namespace pgbackup
