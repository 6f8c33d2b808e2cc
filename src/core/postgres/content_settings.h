// The settings of a database under which values look as they do in it.
#pragma once

#include <string>
#include <vector>

#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Whether a setting may decide about values, and not about the session itself: its rights, its
// transactions, its time limits and where it finds names, which are never a database's to decide.
bool MayBeOfContent(const std::string& setting);

// Gives the session what ALTER DATABASE … SET has given the database that was backed up, as far as
// MayBeOfContent and any role may set it. Others are passed over, as are those that the session has
// set itself or was given with its options, and what the server refuses.
void ApplyContentSettings(PostgresConnection& connection,
                          const std::vector<DatabaseSetting>& settings);

}  // namespace pgbackup
