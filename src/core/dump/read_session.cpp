#include "core/dump/read_session.h"

#include "core/postgres/quoting.h"

namespace pgbackup {

ConnectionSettings ReadSettings(ConnectionSettings settings) {
  // Just-in-time compilation takes longer than the catalogs of many tables take to read.
  AddServerOption(&settings, "-c bytea_output=hex -c TimeZone=UTC -c jit=off");
  return settings;
}

void PrepareReadSession(PostgresConnection& connection) {
  for (const char* setting :
       {"SET datestyle = ISO", "SET intervalstyle = postgres", "SET extra_float_digits = 3",
        "SET search_path = ''", "SET row_security = off"})
    connection.Execute(setting);
  connection.Execute(
      "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings "
      "WHERE name = 'restrict_nonsystem_relation_kind'");
}

void BeginWithSnapshot(PostgresConnection& connection, const std::string& snapshot) {
  connection.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  connection.Execute("SET TRANSACTION SNAPSHOT " + QuoteLiteral(snapshot));
}

}  // namespace pgbackup
