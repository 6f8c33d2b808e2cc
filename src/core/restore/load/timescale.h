// What TimescaleDB asks for around a restore: timescaledb_pre_restore() right after the extension
// has been created, timescaledb_post_restore() when everything is in. In between its catalog is
// plain tables, its triggers and its background workers rest.
#pragma once

#include <string>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Before a backup that may bring the extension is restored into the database of this connection:
// has the first function called
// in the session that creates the extension, in whatever schema, should one do so. Does nothing
// where the extension cannot come, or for a role that may not make event triggers. Returns the name
// of what it has made, which ends in `suffix`, so that nothing in the backup has it; empty for
// nothing.
std::string ExpectTimescale(PostgresConnection& connection, const std::string& suffix);

// When everything is restored: calls the second function if the extension is there, and removes
// `made`, which ExpectTimescale has returned, unseen by event triggers that were restored.
void FinishTimescale(PostgresConnection& connection, const std::string& made);

}  // namespace pgbackup
