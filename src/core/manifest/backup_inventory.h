// The backups that lie in a storage, as their manifests tell.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/manifest/manifest.h"
#include "core/manifest/manifest_key.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct StoredBackup {
  std::string folder;
  std::string checksum;        // SHA-256 of the manifest, in hexadecimal
  uint64_t manifest_size = 0;  // bytes
  Manifest manifest;
};

// A folder whose manifest cannot be read, cannot be one of it, or is not to be believed.
struct UnreadableBackup {
  std::string folder;
  Error error;  // kCorrupt; kDenied: refused by the storage, or there is no MAC
};

struct BackupInventory {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<UnreadableBackup> unreadable;
};

// The folders that hold a manifest, in ascending byte order.
std::vector<std::string> ListBackupFolders(Storage& storage);

// What a manifest has to be like.
struct InventoryRules {
  ManifestKeySettings keys;
  // A backup that was made later than kClockTolerance after this is taken for unreadable: it would
  // be the newest until then. None: any time.
  std::optional<WallTime> now;
};
inline constexpr std::chrono::hours kClockTolerance{24};

// Reads the manifests of `folders`, several at a time; one that is bad does not keep the others
// from being read. One that has disappeared meanwhile is left out. Trouble with the storage itself
// is thrown, and sets `cancellation`; so is kDenied when the storage refuses to read any of them.
BackupInventory ReadBackups(Storage& storage, const std::vector<std::string>& folders,
                            const InventoryRules& rules, Cancellation& cancellation);

}  // namespace pgbackup
