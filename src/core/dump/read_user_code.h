// Asks the server which tables and builds of a database call code that is not built in.
#pragma once

#include "core/manifest/user_code.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Of the database the connection is in, as its transaction sees it. Built in are the server's own
// functions, but for those that run a query they are given as text. Code of extensions counts as
// theirs (UserCode::extension_tables) when it is in C and declared immutable, or cannot be called
// by SQL. What an extension in C does to values of its types, which is to read, write and compare
// them, reads no tables. Whatever else a table's rows, an index, a constraint or a materialized
// view leads to, by way of generated columns, checks, domains, other types, operators, operator
// classes, casts, partition keys and views, counts as code that may read any table.
UserCode ReadUserCode(PostgresConnection& connection);

}  // namespace pgbackup
