// Asks the server what a backup's database needs of it.
#pragma once

#include "core/manifest/requirements.h"
#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Of the database the connection is in, which has these properties. Predefined roles and
// tablespaces (pg_…) are everywhere and not named. Of a part of a database it is what the whole
// needs: the archives tell what of that the part does.
Requirements ReadRequirements(PostgresConnection& connection, const DatabaseProperties& properties);

}  // namespace pgbackup
