// Keeps what a session of ours does out of sight of a database's event triggers: they are the
// user's, and write down or forbid what users do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Disables, in the current transaction, every event trigger of the database that is enabled, for
// which none fires, and returns the statements that enable them as they were, to be run before it
// is committed. Only superusers can have event triggers: for any other role this does nothing.
std::vector<std::string> DisableEventTriggers(PostgresConnection& connection);

// Does `work`, statements that can be in a transaction, in one in which no event trigger fires.
void WithoutEventTriggers(PostgresConnection& connection, const std::function<void()>& work);

// `settings` with what keeps ON LOGIN event triggers from firing when such a session begins, for a
// superuser's, where the server has them. `connection` is in any database of the server.
ConnectionSettings WithoutLoginTriggers(ConnectionSettings settings,
                                        PostgresConnection& connection);

}  // namespace pgbackup
