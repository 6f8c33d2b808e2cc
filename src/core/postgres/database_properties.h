// What belongs to a database but is not in its dump: read at backup, applied at restore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// One GRANT … ON DATABASE.
struct DatabaseGrant {
  std::string grantee;    // empty: PUBLIC
  std::string privilege;  // CONNECT, CREATE, TEMPORARY
  bool with_grant_option = false;
  std::string grantor = {};  // empty: the owner
};

// One ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET when `role` is not empty.
struct DatabaseSetting {
  std::string role;
  std::string name;
  std::string value;  // as the server stores it
};

inline constexpr const char* kDefaultTablespace = "pg_default";

struct DatabaseProperties {
  std::string name;
  int64_t oid = 0;  // 0: not recorded, by an older pgbackup, or hidden
  std::string owner;
  std::string encoding;         // e.g. UTF8
  std::string locale_provider;  // libc, icu, builtin
  std::string collate;
  std::string ctype;
  std::optional<std::string> locale;     // of ICU or the builtin provider
  std::optional<std::string> icu_rules;  // 16+
  int64_t connection_limit = -1;
  std::string tablespace;
  std::optional<std::string> comment;
  bool is_template = false;
  bool has_acl = false;  // false: the default privileges
  std::vector<DatabaseGrant> acl;
  std::vector<DatabaseSetting> settings;
};

// A statement that gives a database one of its properties.
struct PropertyStatement {
  std::string sql;
  std::string role = {};  // that executes it; empty: the session's own
};

// Of the database the connection is in. Grants by or to a role that was dropped are left out.
DatabaseProperties ReadDatabaseProperties(PostgresConnection& connection);

// `CREATE DATABASE name …` that makes an empty database of this encoding and locale. Says nothing
// of the owner. `server_major` decides how the locale is written.
std::string CreateDatabaseSql(const DatabaseProperties& properties, const std::string& name,
                              int server_major, bool with_tablespace);

// The statements that give database `name` everything else. All of them can be run one by one.
std::vector<PropertyStatement> ApplyPropertiesSql(const DatabaseProperties& properties,
                                                  const std::string& name);

// The ALTER DATABASE or ALTER ROLE … IN DATABASE of one setting of database `name`.
std::string AlterSettingSql(const DatabaseSetting& setting, const std::string& name);

// In a transaction, because it may change the role meanwhile.
void ApplyProperty(PostgresConnection& connection, const PropertyStatement& statement);

// Every role that ApplyPropertiesSql mentions, without duplicates.
std::vector<std::string> RolesOf(const DatabaseProperties& properties);

}  // namespace pgbackup
