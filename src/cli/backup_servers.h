// Of which servers the backups in a storage are.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/manifest/backup_inventory.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The instance that made a backup; empty when there is no record of that, as for one by the command
// line.
std::string InstanceOf(const Manifest& manifest);

// Names of the servers whose backups these are, as a person would tell them apart. One that has
// taken the lease over from another (core/ownership/lease.h) goes on with the other's backups, so
// both count as one; a copy that has not is another server.
std::set<std::string> ServersOf(Storage& storage, const std::vector<StoredBackup>& backups);

}  // namespace pgbackup
