// Sessions that read rows: pg_dump's, and our own that read as it does.
#pragma once

#include <string>

#include "core/postgres/postgres_connection.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// `settings` with what pg_dump leaves to the database, the role and the server, although it decides
// how values look in text: so that the same rows give the same text, and the same fingerprint,
// everywhere. What remains is lc_monetary, which a restore reads values of type money with.
// Nothing is compiled in these sessions.
ConnectionSettings ReadSettings(ConnectionSettings settings);

// Gives a session of ours, connected so, what pg_dump gives its own. Where the server can, the
// session also refuses to read views and foreign tables: one of these under the name of a table,
// which renaming its schema brings about without a lock on the table, would run its owner's code.
void PrepareReadSession(PostgresConnection& connection);

// Begins a transaction that sees what `snapshot`, exported by one that is still open, sees.
void BeginWithSnapshot(PostgresConnection& connection, const std::string& snapshot);

}  // namespace pgbackup
