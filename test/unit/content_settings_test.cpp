#include "core/postgres/content_settings.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(ContentSettings, AreThoseThatDecideAboutValuesAlone) {
  for (const char* setting : {"lc_monetary", "quote_all_identifiers", "xmlbinary", "shop.currency"})
    EXPECT_TRUE(MayBeOfContent(setting)) << setting;
  for (const char* setting :
       {"role", "session_authorization", "search_path", "row_security", "statement_timeout",
        "lock_timeout", "transaction_timeout", "default_transaction_read_only",
        "transaction_isolation", "restrict_nonsystem_relation_kind", "pgbackup.confined"})
    EXPECT_FALSE(MayBeOfContent(setting)) << setting;
}

}  // namespace
}  // namespace pgbackup
