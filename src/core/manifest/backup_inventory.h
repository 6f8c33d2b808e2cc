// The backups that lie in a storage, as their manifests tell.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/manifest/manifest.h"
#include "core/manifest/manifest_key.h"
#include "core/manifest/marks.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct StoredBackup {
  std::string folder;
  std::string checksum;        // SHA-256 of the manifest, in hexadecimal
  uint64_t manifest_size = 0;  // bytes
  Manifest manifest;
  FoundMarks found_marks = {};  // where InventoryRules ask for them
};

// A folder that cannot be looked into, or whose manifest cannot be read, cannot be one of it, or is
// not to be believed.
struct UnreadableBackup {
  std::string folder;
  Error error;  // kCorrupt; kDenied: refused by the storage, or there is no MAC
};

struct BackupInventory {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<UnreadableBackup> unreadable;
};

struct BackupFolders {
  std::vector<std::string> names;            // that hold a manifest, in ascending byte order
  std::vector<UnreadableBackup> unreadable;  // that cannot be looked into
};
BackupFolders ListBackupFolders(Storage& storage);

// What a manifest has to be like.
struct InventoryRules {
  ManifestKeySettings keys;
  // A backup that was made later than kClockTolerance after this is taken for unreadable: it would
  // be the newest until then. None: any time.
  std::optional<WallTime> now;
  // Whether refusals are unreadable backups even when the storage let nothing be read.
  bool may_all_be_denied = false;
  bool with_marks = false;  // read those, too
};
inline constexpr std::chrono::hours kClockTolerance{24};

// Reads the manifests of `folders`, several at a time; one that is bad does not keep the others
// from being read. One that has disappeared meanwhile is left out. Trouble with the storage itself
// is thrown, and sets `cancellation`; so is kDenied when the storage refuses to read any of them,
// unless `may_all_be_denied`.
BackupInventory ReadBackups(Storage& storage, const std::vector<std::string>& folders,
                            const InventoryRules& rules, Cancellation& cancellation);

// The same for all of them; those that cannot be looked into are among the unreadable.
BackupInventory ReadBackups(Storage& storage, BackupFolders folders, const InventoryRules& rules,
                            Cancellation& cancellation);

// How many unreadable backups are named one by one; of the rest their number has to do.
inline constexpr size_t kMostNamed = 20;

// Logs a warning for each of `unreadable`.
void WarnOfUnreadable(const std::vector<UnreadableBackup>& unreadable,
                      const std::function<void(const std::string&)>& log);

// The warning that goes with the choice of what is newest, `than`, when some are unreadable.
std::string MayBeNewer(size_t unreadable, const std::string& than);

}  // namespace pgbackup
