#include "core/restore/plan/role_script.h"

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
GRANT SET ON PARAMETER work_mem TO anna WITH GRANT OPTION;
GRANT ALL ON PARAMETER "ext.option" TO here;
GRANT SET ON PARAMETER log_statement TO PUBLIC;
GRANT ALTER SYSTEM ON PARAMETER gone_setting TO anna;
SET SESSION AUTHORIZATION anna;
GRANT SET ON PARAMETER work_mem TO reader;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION here;
GRANT SET ON PARAMETER "ext.option" TO reader;
RESET SESSION AUTHORIZATION;
CREATE TABLESPACE fast OWNER anna LOCATION '/x';
GRANT ALL ON TABLESPACE fast TO anna;

\unrestrict Abc
)";

const ServerNames kServer{[](const std::string& role) { return role == "here" || role == "other"; },
                          [](const std::string& parameter) { return parameter != "gone_setting"; }};

using SqlTexts = std::vector<std::string>;

// The grants that have, or have not, these words in them.
SqlTexts GrantsIn(const RoleScript& script, std::string_view words, bool have) {
  SqlTexts grants;
  for (const std::string& sql : script.statements)
    if (sql.starts_with("GRANT ") && (sql.find(words) != std::string::npos) == have)
      grants.push_back(sql);
  return grants;
}

TEST(RoleScript, MakesTheWantedRolesWithoutPasswords) {
  const RoleScript script = MakeRoleScript(kGlobals, {"anna", "unknown"}, kServer);
  EXPECT_EQ(script.roles, (SqlTexts{"anna"}));
  EXPECT_EQ(script.superusers, SqlTexts());
  const std::string attributes =
      "ALTER ROLE anna WITH NOSUPERUSER INHERIT NOCREATEROLE LOGIN CONNECTION LIMIT "
      "- 1 VALID UNTIL '2035-01-01 00:00:00+00'";
  EXPECT_EQ(script.statements,
            (SqlTexts{"CREATE ROLE \"anna\"", attributes, "COMMENT ON ROLE anna IS 'it''s; anna'",
                      "ALTER ROLE anna SET search_path TO 'a', 'b; c'",
                      "GRANT SET ON PARAMETER work_mem TO anna WITH GRANT OPTION"}));
}

TEST(RoleScript, MembershipsComeWhereBothEndsAre) {
  const RoleScript script = MakeRoleScript(kGlobals, {"anna", "reader", "Big \"Boss\""}, kServer);
  EXPECT_EQ(script.roles, (SqlTexts{"anna", "Big \"Boss\"", "reader"}));
  EXPECT_EQ(script.superusers, (SqlTexts{"Big \"Boss\""}));
  EXPECT_EQ(GrantsIn(script, " ON PARAMETER ", false),
            (SqlTexts{"GRANT reader TO anna WITH ADMIN OPTION",
                      "GRANT here TO \"Big \"\"Boss\"\"\" WITH ADMIN OPTION , INHERIT FALSE"}));
}

TEST(RoleScript, GrantsParametersToTheRolesThatItMakes) {
  const RoleScript script = MakeRoleScript(kGlobals, {"anna", "reader"}, kServer);
  EXPECT_EQ(GrantsIn(script, " ON PARAMETER ", true),
            (SqlTexts{"GRANT SET ON PARAMETER work_mem TO anna WITH GRANT OPTION",
                      "GRANT SET ON PARAMETER work_mem TO reader",
                      "GRANT SET ON PARAMETER \"ext.option\" TO reader"}));
  EXPECT_EQ(script.unknown_parameters, (std::set<std::string>{"gone_setting"}));
}

TEST(RoleScript, ParametersAreGrantedByWhoGrantedThemIfThatRoleIsMade) {
  const SqlTexts statements = MakeRoleScript(kGlobals, {"anna", "reader"}, kServer).statements;
  ASSERT_GE(statements.size(), 4u);
  EXPECT_EQ(
      SqlTexts(statements.end() - 4, statements.end()),
      (SqlTexts{"SET SESSION AUTHORIZATION \"anna\"", "GRANT SET ON PARAMETER work_mem TO reader",
                "RESET SESSION AUTHORIZATION", "GRANT SET ON PARAMETER \"ext.option\" TO reader"}));
}

TEST(RoleScript, GrantsParametersToEverybodyWhenThatIsWanted) {
  EXPECT_EQ(MakeRoleScript(kGlobals, {kEverybody}, kServer).statements,
            (SqlTexts{"GRANT SET ON PARAMETER log_statement TO PUBLIC"}));
}

TEST(RoleScript, LeavesRolesThatExistAlone) {
  for (const std::string& sql : MakeRoleScript(kGlobals, {"anna"}, kServer).statements) {
    EXPECT_EQ(sql.find("ROLE here"), std::string::npos) << sql;
    EXPECT_EQ(sql.find("other"), std::string::npos) << sql;
  }
}

TEST(RoleScript, RolesInTheOrderOfTheScript) {
  EXPECT_EQ(RolesIn(kGlobals), (SqlTexts{"anna", "Big \"Boss\"", "here", "reader"}));
  EXPECT_EQ(RolesIn(""), SqlTexts());
}

TEST(RoleScript, OfNothingWantedIsEmpty) {
  EXPECT_EQ(MakeRoleScript(kGlobals, {}, kServer).statements, SqlTexts());
}

}  // namespace
}  // namespace pgbackup
