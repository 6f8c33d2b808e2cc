// Reads from a database what its dump will not tell of the needs of its parts.
#pragma once

#include "core/manifest/part_needs.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// In the transaction whose snapshot the dump uses.
PartNeeds ReadPartNeeds(PostgresConnection& connection);

}  // namespace pgbackup
