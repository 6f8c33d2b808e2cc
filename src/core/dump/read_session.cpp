#include "core/dump/read_session.h"

namespace pgbackup {

ConnectionSettings ReadSettings(ConnectionSettings settings) {
  AddServerOption(&settings, "-c bytea_output=hex -c TimeZone=UTC");
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

}  // namespace pgbackup
