#include "core/restore/plan/tablespace_script.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

constexpr const char* kGlobals = R"(
CREATE ROLE tablespace;
ALTER ROLE tablespace WITH NOLOGIN;
GRANT tablespace TO anna;
GRANT ALL ON PARAMETER work_mem TO anna;
CREATE TABLESPACE fast OWNER anna LOCATION '/disks/it''s fast';
ALTER TABLESPACE fast SET (random_page_cost=1.1);
REVOKE ALL ON TABLESPACE fast FROM anna;
GRANT ALL ON TABLESPACE fast TO anna WITH GRANT OPTION;
SET SESSION AUTHORIZATION anna;
GRANT ALL ON TABLESPACE fast TO reader;
RESET SESSION AUTHORIZATION;
COMMENT ON TABLESPACE fast IS 'new disks';
CREATE TABLESPACE "Slow ""one""" OWNER postgres LOCATION E'/disks\\slow';
COMMENT ON TABLESPACE "Slow ""one""" IS 'on tablespace fast';
GRANT ALL ON TABLESPACE elsewhere TO anna;
)";

using SqlTexts = std::vector<std::string>;

TEST(TablespaceScript, HasWhatIsSaidOfEachTablespace) {
  const std::vector<TablespaceScript> tablespaces = TablespacesIn(kGlobals);
  ASSERT_EQ(tablespaces.size(), 2u);
  EXPECT_EQ(tablespaces[0].name, "fast");
  EXPECT_EQ(tablespaces[0].location_sql, "'/disks/it''s fast'");
  EXPECT_EQ(tablespaces[0].create,
            "CREATE TABLESPACE fast OWNER anna LOCATION '/disks/it''s fast'");
  EXPECT_EQ(
      tablespaces[0].statements,
      (SqlTexts{"ALTER TABLESPACE fast SET (random_page_cost=1.1)",
                "REVOKE ALL ON TABLESPACE fast FROM anna",
                "GRANT ALL ON TABLESPACE fast TO anna WITH GRANT OPTION",
                "SET SESSION AUTHORIZATION \"anna\"", "GRANT ALL ON TABLESPACE fast TO reader",
                "RESET SESSION AUTHORIZATION", "COMMENT ON TABLESPACE fast IS 'new disks'"}));
  EXPECT_EQ(tablespaces[1].name, "Slow \"one\"");
  EXPECT_EQ(tablespaces[1].location_sql, R"(E'/disks\\slow')");
  EXPECT_EQ(tablespaces[1].statements,
            (SqlTexts{R"(COMMENT ON TABLESPACE "Slow ""one""" IS 'on tablespace fast')"}));
}

TEST(TablespaceScript, OfNoTablespacesIsEmpty) {
  EXPECT_TRUE(TablespacesIn("CREATE ROLE anna; GRANT reader TO anna;").empty());
}

}  // namespace
}  // namespace pgbackup
