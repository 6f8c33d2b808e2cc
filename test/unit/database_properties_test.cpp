#include "core/postgres/database_properties.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

DatabaseProperties SomeProperties() {
  DatabaseProperties properties;
  properties.owner = "own\"er";
  properties.encoding = "UTF8";
  properties.locale_provider = "libc";
  properties.collate = "de_AT.UTF-8";
  properties.ctype = "C";
  properties.tablespace = "fast";
  return properties;
}

bool Contains(const std::vector<PropertyStatement>& all, const std::string& one) {
  return std::any_of(all.begin(), all.end(),
                     [&](const PropertyStatement& statement) { return statement.sql == one; });
}

TEST(CreateDatabase, WritesTheLocaleAsTheServersVersionWantsIt) {
  DatabaseProperties properties = SomeProperties();
  EXPECT_EQ(CreateDatabaseSql(properties, "x y", 14, false),
            "CREATE DATABASE \"x y\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'de_AT.UTF-8' "
            "LC_CTYPE 'C'");
  EXPECT_EQ(CreateDatabaseSql(properties, "x", 15, true),
            "CREATE DATABASE \"x\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc "
            "LC_COLLATE 'de_AT.UTF-8' LC_CTYPE 'C' TABLESPACE \"fast\"");
  properties.tablespace = kDefaultTablespace;
  EXPECT_EQ(CreateDatabaseSql(properties, "x", 15, true),
            CreateDatabaseSql(properties, "x", 15, false));
  properties.locale_provider = "icu";
  properties.locale = "und";
  properties.icu_rules = "&a < b";
  EXPECT_EQ(CreateDatabaseSql(properties, "x", 16, false),
            "CREATE DATABASE \"x\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu "
            "LC_COLLATE 'de_AT.UTF-8' LC_CTYPE 'C' ICU_LOCALE 'und' ICU_RULES '&a < b'");
  properties.locale_provider = "builtin";
  properties.locale = "C.UTF-8";
  EXPECT_EQ(CreateDatabaseSql(properties, "x", 17, false),
            "CREATE DATABASE \"x\" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin "
            "LC_COLLATE 'de_AT.UTF-8' LC_CTYPE 'C' BUILTIN_LOCALE 'C.UTF-8'");
  EXPECT_EQ(ErrorOf([&] { CreateDatabaseSql(properties, "x", 16, false); }).kind(),
            ErrorKind::kInvalid);
}

TEST(ApplyProperties, GivesBackWhatADumpLeavesOut) {
  DatabaseProperties properties = SomeProperties();
  properties.comment = "it's";
  properties.connection_limit = 5;
  properties.has_acl = true;
  properties.acl = {{"", "TEMPORARY", false}, {"r", "CONNECT", true}};
  properties.settings = {{"", "search_path", "\"$user\", \"My, S\", public"},
                         {"", "work_mem", "7MB"},
                         {"r", "my.var", "a'b"}};
  properties.is_template = true;
  const std::vector<PropertyStatement> sql = ApplyPropertiesSql(properties, "db");
  for (const char* statement : {
           "ALTER DATABASE \"db\" OWNER TO \"own\"\"er\"",
           "COMMENT ON DATABASE \"db\" IS 'it''s'",
           "REVOKE ALL ON DATABASE \"db\" FROM PUBLIC",
           "REVOKE ALL ON DATABASE \"db\" FROM \"own\"\"er\"",
           "GRANT TEMPORARY ON DATABASE \"db\" TO PUBLIC",
           "GRANT CONNECT ON DATABASE \"db\" TO \"r\" WITH GRANT OPTION",
           "ALTER DATABASE \"db\" SET \"search_path\" TO '$user', 'My, S', 'public'",
           "ALTER DATABASE \"db\" SET \"work_mem\" TO '7MB'",
           "ALTER ROLE \"r\" IN DATABASE \"db\" SET \"my\".\"var\" TO 'a''b'",
           "ALTER DATABASE \"db\" CONNECTION LIMIT 5",
           "ALTER DATABASE \"db\" IS_TEMPLATE true",
       })
    EXPECT_TRUE(Contains(sql, statement)) << statement;
}

TEST(ApplyProperties, APrivilegeIsGrantedByWhoHadGrantedIt) {
  DatabaseProperties properties = SomeProperties();
  properties.has_acl = true;
  properties.acl = {{"r", "CONNECT", true}, {"s", "CONNECT", false, "r"}};
  std::vector<std::pair<std::string, std::string>> grants;
  for (const PropertyStatement& statement : ApplyPropertiesSql(properties, "db"))
    if (statement.sql.starts_with("GRANT")) grants.emplace_back(statement.sql, statement.role);
  EXPECT_EQ(grants, (std::vector<std::pair<std::string, std::string>>{
                        {"GRANT CONNECT ON DATABASE \"db\" TO \"r\" WITH GRANT OPTION", ""},
                        {"GRANT CONNECT ON DATABASE \"db\" TO \"s\"", "r"}}));
}

TEST(ApplyProperties, NoDatabaseBecomesATemplateByItself) {
  EXPECT_FALSE(Contains(ApplyPropertiesSql(SomeProperties(), "db"),
                        "ALTER DATABASE \"db\" IS_TEMPLATE true"));
}

TEST(ApplyProperties, DefaultPrivilegesAreOpenedAgain) {
  EXPECT_TRUE(Contains(ApplyPropertiesSql(SomeProperties(), "db"),
                       "GRANT CONNECT, TEMPORARY ON DATABASE \"db\" TO PUBLIC"));
}

TEST(RolesOf, NamesEveryRoleOnce) {
  DatabaseProperties properties = SomeProperties();
  properties.acl = {
      {"", "CONNECT", false}, {"r", "CONNECT", false, "g"}, {"own\"er", "CREATE", false}};
  properties.settings = {{"r", "a", "b"}, {"s", "a", "b"}, {"", "a", "b"}};
  EXPECT_EQ(RolesOf(properties), (std::vector<std::string>{"g", "own\"er", "r", "s"}));
}

}  // namespace
}  // namespace pgbackup
