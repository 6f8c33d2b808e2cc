#include "core/manifest/table_rows.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(TableRows, BeginsWithSqlInUtf8WhateverTheRowsAreIn) {
  const std::string sql = CopyBegin({"s \"x\"", "t\n"}, {"a", "B c"}, "LATIN1");
  EXPECT_EQ(sql.rfind("SET client_encoding = 'UTF8';\n", 0), 0u);
  const std::string copy =
      "COPY \"s \"\"x\"\"\".\"t\n\" (\"a\", \"B c\") FROM stdin WITH (ENCODING 'LATIN1');\n";
  ASSERT_GE(sql.size(), copy.size());
  EXPECT_EQ(sql.substr(sql.size() - copy.size()), copy);
}

}  // namespace
}  // namespace pgbackup
