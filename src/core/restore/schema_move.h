// Gathers what a side database holds in one schema, to be dumped from there into another database.
#pragma once

#include <string>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Moves every relation of the database `side` that is no extension's into `schema`, which is made
// if it does not exist. Types, functions and collations stay where they are as long as `target` has
// the same, so that rows can be copied between its tables and the ones that come; all others move,
// too. Same are types with equal definitions (of an enum, all labels must be there), functions with
// equal names and arguments, and collations with equal names.
void MoveIntoSchema(PostgresConnection& side, PostgresConnection& target,
                    const std::string& schema);

}  // namespace pgbackup
