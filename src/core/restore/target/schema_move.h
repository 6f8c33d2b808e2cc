// Gathers what a side database holds in one schema, to be dumped from there into another database.
#pragma once

#include <string>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Moves every relation of the database `side` that is no extension's into `schema`, which is made
// if it does not exist. Types, functions, operators with their classes and families, collations and
// text search objects stay where they are as long as `target` has the same, so that rows can be
// copied between its tables and the ones that come; all others move, and so does what is made of
// any of them. Same is what has the same name and definition; of an enum, all labels must be there.
void MoveIntoSchema(PostgresConnection& side, PostgresConnection& target,
                    const std::string& schema);

// The casts of `side` that `target` does not have, or that belong to something that has moved, in
// words: "(integer AS s.t)". Casts are in no schema.
std::string CastsThatStay(PostgresConnection& side, PostgresConnection& target);

}  // namespace pgbackup
