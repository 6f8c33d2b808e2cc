// A stored backup as the commands print it.
#pragma once

#include <boost/json.hpp>

#include "core/manifest/backup_inventory.h"

namespace pgbackup {

// One line of a list, with the names of the catalog's columns where it has them.
boost::json::object BackupToJson(const StoredBackup& backup);

// What the backup takes in the storage, its manifest included.
uint64_t StoredSizeOf(const StoredBackup& backup);

// "2025-03-30 01:02:03Z" from a manifest's time.
std::string ShortTime(const std::string& timestamp);

}  // namespace pgbackup
