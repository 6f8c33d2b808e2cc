// The settings of a database under which values look as they do in it.
#pragma once

#include <string>
#include <vector>

#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Whether a setting may decide about values, and not about the session itself: its rights, its
// transactions, its time limits, its memory, its messages, what it loads and where it finds names,
// which are never a database's to decide; nor what pg_restore sets for its sessions, or how a dump
// is read.
bool MayBeOfContent(const std::string& setting);

// Of the settings of a database, those for all roles for which MayBeOfContent is true.
std::vector<DatabaseSetting> ContentSettings(const std::vector<DatabaseSetting>& settings);

// Of these, the ones under which a database can be restored: not those that change how the server
// stores what a definition says, which was dumped as it was stored.
std::vector<DatabaseSetting> SettingsToRestoreWith(const std::vector<DatabaseSetting>& settings);

// Gives the session what ALTER DATABASE … SET has given the database that was backed up, as far as
// MayBeOfContent and any role may set it. Others are passed over, as are those that the session has
// set itself or was given with its options, and what the server refuses.
void ApplyContentSettings(PostgresConnection& connection,
                          const std::vector<DatabaseSetting>& settings);

}  // namespace pgbackup
