// The backups that lie in a storage, as their manifests tell.
#pragma once

#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/error.h"
#include "core/manifest/manifest.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct StoredBackup {
  std::string folder;
  std::string checksum;        // SHA-256 of the manifest, in hexadecimal
  uint64_t manifest_size = 0;  // bytes
  Manifest manifest;
};

// A folder with a manifest that cannot be one of it.
struct UnreadableBackup {
  std::string folder;
  Error error;  // kCorrupt
};

struct BackupInventory {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<UnreadableBackup> unreadable;
};

// The folders that hold a manifest, in ascending byte order.
std::vector<std::string> ListBackupFolders(Storage& storage);

// Reads the manifests of `folders`, several at a time. One that has disappeared meanwhile is left
// out. Trouble with the storage itself is thrown, and sets `cancellation`.
BackupInventory ReadBackups(Storage& storage, const std::vector<std::string>& folders,
                            Cancellation& cancellation);

}  // namespace pgbackup
