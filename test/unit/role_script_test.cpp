#include "core/restore/role_script.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

constexpr const char* kGlobals = R"(--
-- PostgreSQL database cluster dump
--
\restrict Abc

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

CREATE ROLE anna;
ALTER ROLE anna WITH NOSUPERUSER INHERIT NOCREATEROLE LOGIN CONNECTION LIMIT -1 PASSWORD 'secret' VALID UNTIL '2035-01-01 00:00:00+00';
CREATE ROLE "Big ""Boss""";
ALTER ROLE "Big ""Boss""" WITH SUPERUSER INHERIT LOGIN;
CREATE ROLE here;
ALTER ROLE here WITH SUPERUSER;
CREATE ROLE reader;
ALTER ROLE reader WITH NOSUPERUSER;
COMMENT ON ROLE anna IS 'it''s; anna';
COMMENT ON ROLE here IS 'not ours';

ALTER ROLE anna SET search_path TO 'a', 'b; c';
ALTER ROLE here SET work_mem TO '1GB';

GRANT reader TO anna WITH ADMIN OPTION GRANTED BY gone;
GRANT here TO "Big ""Boss""" WITH ADMIN OPTION, INHERIT FALSE GRANTED BY here;
GRANT gone TO anna;
GRANT here TO other GRANTED BY here;
GRANT SET ON PARAMETER work_mem TO anna;
CREATE TABLESPACE fast OWNER anna LOCATION '/x';

\unrestrict Abc
)";

bool IsHere(const std::string& role) {
  return role == "here" || role == "other";
}

using SqlTexts = std::vector<std::string>;

TEST(RoleScript, MakesTheWantedRolesWithoutPasswords) {
  const RoleScript script = MakeRoleScript(kGlobals, {"anna", "unknown"}, IsHere);
  EXPECT_EQ(script.roles, (SqlTexts{"anna"}));
  EXPECT_EQ(script.superusers, SqlTexts());
  EXPECT_EQ(
      script.statements,
      (SqlTexts{"CREATE ROLE \"anna\"",
                "ALTER ROLE anna WITH NOSUPERUSER INHERIT NOCREATEROLE LOGIN CONNECTION LIMIT "
                "- 1 VALID UNTIL '2035-01-01 00:00:00+00'",
                "COMMENT ON ROLE anna IS 'it''s; anna'",
                "ALTER ROLE anna SET search_path TO 'a', 'b; c'"}));
}

TEST(RoleScript, MembershipsComeWhereBothEndsAre) {
  const RoleScript script = MakeRoleScript(kGlobals, {"anna", "reader", "Big \"Boss\""}, IsHere);
  EXPECT_EQ(script.roles, (SqlTexts{"anna", "Big \"Boss\"", "reader"}));
  EXPECT_EQ(script.superusers, (SqlTexts{"Big \"Boss\""}));
  ASSERT_GE(script.statements.size(), 2u);
  EXPECT_EQ(script.statements[script.statements.size() - 2],
            "GRANT reader TO anna WITH ADMIN OPTION");
  EXPECT_EQ(script.statements.back(),
            "GRANT here TO \"Big \"\"Boss\"\"\" WITH ADMIN OPTION , INHERIT FALSE");
}

TEST(RoleScript, LeavesRolesThatExistAlone) {
  for (const std::string& sql : MakeRoleScript(kGlobals, {"anna"}, IsHere).statements) {
    EXPECT_EQ(sql.find("ROLE here"), std::string::npos) << sql;
    EXPECT_EQ(sql.find("other"), std::string::npos) << sql;
  }
}

TEST(RoleScript, RolesInTheOrderOfTheScript) {
  EXPECT_EQ(RolesIn(kGlobals), (SqlTexts{"anna", "Big \"Boss\"", "here", "reader"}));
  EXPECT_EQ(RolesIn(""), SqlTexts());
}

TEST(RoleScript, OfNothingWantedIsEmpty) {
  EXPECT_EQ(MakeRoleScript(kGlobals, {}, IsHere).statements, SqlTexts());
}

}  // namespace
}  // namespace pgbackup
