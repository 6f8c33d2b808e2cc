#include "core/dump/copy_lane.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(CopyLane, ReadsItsPagesOfThisTableAlone) {
  EXPECT_EQ(CopyRangeSql({"s", "t \"1\""}, {{"a", "B c"}, 10, 20}, "LATIN1"),
            "COPY (SELECT \"a\", \"B c\" FROM ONLY \"s\".\"t \"\"1\"\"\" "
            "WHERE ctid OPERATOR(pg_catalog.>=) '(10,0)' AND ctid OPERATOR(pg_catalog.<) '(20,0)') "
            "TO STDOUT WITH (ENCODING 'LATIN1')");
}

TEST(CopyLane, TheLastRangeHasNoEndSinceTheTableMayHaveGrown) {
  const std::string sql = CopyRangeSql({"s", "t"}, {{"a"}, 20, std::nullopt}, "UTF8");
  EXPECT_NE(sql.find("'(20,0)') TO STDOUT"), std::string::npos) << sql;
}

}  // namespace
}  // namespace pgbackup
