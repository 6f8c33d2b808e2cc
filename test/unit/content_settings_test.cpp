#include "core/postgres/content_settings.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(ContentSettings, AreThoseThatDecideAboutValuesAlone) {
  for (const char* setting : {"lc_monetary", "quote_all_identifiers", "xmlbinary", "shop.currency"})
    EXPECT_TRUE(MayBeOfContent(setting)) << setting;
  for (const char* setting : {"role",
                              "session_authorization",
                              "search_path",
                              "row_security",
                              "statement_timeout",
                              "lock_timeout",
                              "transaction_timeout",
                              "default_transaction_read_only",
                              "transaction_isolation",
                              "restrict_nonsystem_relation_kind",
                              "pgbackup.confined",
                              "session_preload_libraries",
                              "local_preload_libraries",
                              "session_replication_role",
                              "event_triggers",
                              "standard_conforming_strings",
                              "array_nulls",
                              "maintenance_work_mem",
                              "lc_messages",
                              "log_statement"})
    EXPECT_FALSE(MayBeOfContent(setting)) << setting;
}

TEST(ContentSettings, ThatChangeStoredDefinitionsAreNotToRestoreWith) {
  const std::vector<DatabaseSetting> found =
      SettingsToRestoreWith({{"", "quote_all_identifiers", "on"},
                             {"", "transform_null_equals", "on"},
                             {"", "lc_monetary", "C"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "lc_monetary");
}

TEST(ContentSettings, AreThoseForAllRoles) {
  const std::vector<DatabaseSetting> found = ContentSettings(
      {{"", "timezone", "UTC"}, {"r", "timezone", "UTC"}, {"", "role", "r"}, {"", "a.b", "\\ '"}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "timezone");
  EXPECT_EQ(found[1].name, "a.b");
}

}  // namespace
}  // namespace pgbackup
