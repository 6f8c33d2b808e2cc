#include "core/postgres/database_properties.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// Settings whose value is a list of names, stored with the names quoted (GUC_LIST_QUOTE).
bool IsNameList(const std::string& setting) {
  static constexpr const char* kLists[] = {"local_preload_libraries",   "search_path",
                                           "session_preload_libraries", "shared_preload_libraries",
                                           "temp_tablespaces",          "unix_socket_directories"};
  return std::any_of(std::begin(kLists), std::end(kLists),
                     [&](const char* list) { return setting == list; });
}

std::string SettingValueSql(const DatabaseSetting& setting) {
  if (!IsNameList(setting.name)) return QuoteLiteral(setting.value);
  std::string list;
  for (const std::string& element : SplitIdentifierList(setting.value))
    list += (list.empty() ? "" : ", ") + QuoteLiteral(element);
  return list.empty() ? "''" : list;
}

// The name of a setting, which may be "extension.name".
std::string SettingNameSql(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return QuoteIdentifier(name);
  return QuoteQualifiedName({name.substr(0, dot), name.substr(dot + 1)});
}

}  // namespace

DatabaseProperties ReadDatabaseProperties(PostgresConnection& connection) {
  // Columns that came or were renamed between versions are read through the row's JSON form.
  const QueryResult row = connection.Query(
      "SELECT d.datname, pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), "
      "CASE coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') WHEN 'i' THEN 'icu' "
      "WHEN 'b' THEN 'builtin' ELSE 'libc' END, d.datcollate, d.datctype, "
      "coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), "
      "to_jsonb(d) ->> 'daticurules', d.datconnlimit, t.spcname, "
      "shobj_description(d.oid, 'pg_database'), d.datistemplate, d.datacl IS NOT NULL, d.oid "
      "FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace "
      "WHERE d.datname = current_database()");
  DatabaseProperties properties;
  properties.name = row.Text(0, 0);
  properties.owner = row.Text(0, 1);
  properties.encoding = row.Text(0, 2);
  properties.locale_provider = row.Text(0, 3);
  properties.collate = row.Text(0, 4);
  properties.ctype = row.Text(0, 5);
  properties.locale = row.OptionalText(0, 6);
  properties.icu_rules = row.OptionalText(0, 7);
  properties.connection_limit = row.Integer(0, 8);
  properties.tablespace = row.Text(0, 9);
  properties.comment = row.OptionalText(0, 10);
  properties.is_template = row.Flag(0, 11);
  properties.has_acl = row.Flag(0, 12);
  const std::string oid = row.Text(0, 13);
  properties.oid = row.Integer(0, 13);

  const QueryResult grants = connection.Query(
      "SELECT coalesce(e.rolname, ''), a.privilege_type, a.is_grantable, "
      "CASE WHEN a.grantor <> d.datdba THEN g.rolname ELSE '' END "
      "FROM pg_database d, aclexplode(d.datacl) WITH ORDINALITY "
      "AS a (grantor, grantee, privilege_type, is_grantable, place) "
      "JOIN pg_roles g ON g.oid = a.grantor LEFT JOIN pg_roles e ON e.oid = a.grantee "
      "WHERE d.oid = $1::oid AND (a.grantee = 0 OR e.oid IS NOT NULL) ORDER BY a.place",
      {oid});
  for (int i = 0; i < grants.rows(); ++i)
    properties.acl.push_back(
        {grants.Text(i, 0), grants.Text(i, 1), grants.Flag(i, 2), grants.Text(i, 3)});

  const QueryResult settings = connection.Query(
      "SELECT coalesce(r.rolname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) "
      "FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c "
      "WHERE s.setdatabase = $1::oid AND (s.setrole = 0 OR r.oid IS NOT NULL) ORDER BY 1, 2",
      {oid});
  for (int i = 0; i < settings.rows(); ++i)
    properties.settings.push_back({settings.Text(i, 0), settings.Text(i, 1), settings.Text(i, 2)});
  return properties;
}

std::string CreateDatabaseSql(const DatabaseProperties& properties, const std::string& name,
                              int server_major, bool with_tablespace) {
  std::string sql = fmt::format("CREATE DATABASE {} TEMPLATE template0 ENCODING {}",
                                QuoteIdentifier(name), QuoteLiteral(properties.encoding));
  const bool icu = properties.locale_provider == "icu";
  const bool builtin = properties.locale_provider == "builtin";
  if (server_major < 15 && (icu || builtin))
    throw Error(ErrorKind::kInvalid,
                fmt::format("the server has no locale provider \"{}\" for databases",
                            properties.locale_provider));
  if (server_major < 17 && builtin)
    throw Error(ErrorKind::kInvalid, "the server has no locale provider \"builtin\"");
  if (server_major >= 15) sql += fmt::format(" LOCALE_PROVIDER {}", properties.locale_provider);
  sql += fmt::format(" LC_COLLATE {} LC_CTYPE {}", QuoteLiteral(properties.collate),
                     QuoteLiteral(properties.ctype));
  if (properties.locale && (icu || builtin))
    sql += fmt::format(" {} {}", icu ? "ICU_LOCALE" : "BUILTIN_LOCALE",
                       QuoteLiteral(*properties.locale));
  if (properties.icu_rules && icu && server_major >= 16)
    sql += fmt::format(" ICU_RULES {}", QuoteLiteral(*properties.icu_rules));
  // Naming the default one takes a right on it that few roles have.
  if (with_tablespace && properties.tablespace != kDefaultTablespace)
    sql += fmt::format(" TABLESPACE {}", QuoteIdentifier(properties.tablespace));
  return sql;
}

std::string AlterSettingSql(const DatabaseSetting& setting, const std::string& name) {
  const std::string database = fmt::format("DATABASE {}", QuoteIdentifier(name));
  return fmt::format("ALTER {} SET {} TO {}",
                     setting.role.empty()
                         ? database
                         : fmt::format("ROLE {} IN {}", QuoteIdentifier(setting.role), database),
                     SettingNameSql(setting.name), SettingValueSql(setting));
}

void ApplyProperty(PostgresConnection& connection, const PropertyStatement& statement) {
  if (statement.role.empty()) return connection.Execute(statement.sql);
  const std::string before = connection.Query("SELECT current_setting('role')").Text(0, 0);
  connection.Execute(fmt::format("SET LOCAL ROLE {}", QuoteIdentifier(statement.role)));
  connection.Execute(statement.sql);
  connection.Query("SELECT set_config('role', $1, true)", {before});
}

std::vector<PropertyStatement> ApplyPropertiesSql(const DatabaseProperties& properties,
                                                  const std::string& name) {
  const std::string database = QuoteIdentifier(name);
  const std::string owner = QuoteIdentifier(properties.owner);
  std::vector<PropertyStatement> statements;
  const auto add = [&](std::string sql, const std::string& role = "") {
    statements.push_back({std::move(sql), role});
  };
  add(fmt::format("ALTER DATABASE {} OWNER TO {}", database, owner));
  if (properties.comment)
    add(fmt::format("COMMENT ON DATABASE {} IS {}", database, QuoteLiteral(*properties.comment)));
  if (properties.has_acl) {
    add(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", database));
    add(fmt::format("REVOKE ALL ON DATABASE {} FROM {}", database, owner));
    for (const DatabaseGrant& grant : properties.acl)
      add(fmt::format("GRANT {} ON DATABASE {} TO {}{}", grant.privilege, database,
                      grant.grantee.empty() ? "PUBLIC" : QuoteIdentifier(grant.grantee),
                      grant.with_grant_option ? " WITH GRANT OPTION" : ""),
          grant.grantor);
  } else {
    add(fmt::format("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC", database));
  }
  for (const DatabaseSetting& setting : properties.settings) add(AlterSettingSql(setting, name));
  add(fmt::format("ALTER DATABASE {} CONNECTION LIMIT {}", database, properties.connection_limit));
  if (properties.is_template) add(fmt::format("ALTER DATABASE {} IS_TEMPLATE true", database));
  return statements;
}

std::vector<std::string> RolesOf(const DatabaseProperties& properties) {
  std::vector<std::string> roles = {properties.owner};
  for (const DatabaseGrant& grant : properties.acl) {
    if (!grant.grantee.empty()) roles.push_back(grant.grantee);
    if (!grant.grantor.empty()) roles.push_back(grant.grantor);
  }
  for (const DatabaseSetting& setting : properties.settings)
    if (!setting.role.empty()) roles.push_back(setting.role);
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  return roles;
}

}  // namespace pgbackup
