// Statistics for the planner, gathered before a restored database is used.
#pragma once

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// ANALYZE of every table but those whose rows lie partly elsewhere: sampling a foreign partition
// asks its server, which may not be there, or not be for this database to ask.
void AnalyzeLocalTables(PostgresConnection& connection);

}  // namespace pgbackup
