#include "core/blocking/statement_kind.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(StatementKind, NamesTheCommandAndItsKindOfObject) {
  EXPECT_EQ(StatementKind("ALTER TABLE app.orders ADD COLUMN x int"), "ALTER TABLE");
  EXPECT_EQ(StatementKind("  drop\n index i"), "DROP INDEX");
  EXPECT_EQ(StatementKind("TRUNCATE orders"), "TRUNCATE");
  EXPECT_EQ(StatementKind("truncate table orders"), "TRUNCATE TABLE");
  EXPECT_EQ(StatementKind("VACUUM (FULL, VERBOSE) t"), "VACUUM FULL");
  EXPECT_EQ(StatementKind("select 1;"), "SELECT");
  EXPECT_EQ(StatementKind("LOCK TABLE t"), "LOCK TABLE");
}

TEST(StatementKind, PassesOverComments) {
  EXPECT_EQ(StatementKind("-- nightly\n/* a /* nested */ one */ALTER/*x*/TABLE t"), "ALTER TABLE");
  EXPECT_EQ(StatementKind("/* never closed"), "");
  EXPECT_EQ(StatementKind("-- never ends"), "");
}

TEST(StatementKind, LetsNothingElseThrough) {
  for (const char* query :
       {"", ";", "'secret'", "secret TABLE", "BEGIN; ALTER TABLE t", "ALTERED t"})
    EXPECT_EQ(StatementKind(query), "") << query;
  EXPECT_EQ(StatementKind("ALTER ROLE me PASSWORD 'secret'"), "ALTER");
  EXPECT_EQ(StatementKind("SELECT secret"), "SELECT");
  EXPECT_EQ(StatementKind("DROP TAB"), "DROP");  // cut off
}

}  // namespace
}  // namespace pgbackup
