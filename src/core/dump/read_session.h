// A session that reads rows as pg_dump does.
#pragma once

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Gives it the settings that decide how values look in text, and whose rows it sees.
void PrepareReadSession(PostgresConnection& connection);

}  // namespace pgbackup
