#include "core/dump/read_session.h"

namespace pgbackup {

void PrepareReadSession(PostgresConnection& connection) {
  for (const char* setting :
       {"SET datestyle = ISO", "SET intervalstyle = postgres", "SET extra_float_digits = 3",
        "SET bytea_output = hex", "SET search_path = ''", "SET row_security = off"})
    connection.Execute(setting);
}

}  // namespace pgbackup
