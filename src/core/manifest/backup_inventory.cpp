#include "core/manifest/backup_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "core/base/sha256.h"
#include "core/manifest/manifest_store.h"
#include "core/run/lanes.h"

namespace pgbackup {
namespace {

constexpr size_t kReadAtOnce = 8;

Error Unreadable(const Storage& storage, const std::string& folder, const Error& error) {
  if (error.kind() == ErrorKind::kCorrupt) return error;
  return {ErrorKind::kCorrupt,
          fmt::format("the manifest in \"{}/{}\" cannot be read: {}", storage.url(), folder,
                      error.message()),
          error.detail(), error.hint()};
}

// Nothing when the folder has gone.
std::optional<StoredBackup> ReadBackup(Storage& storage, const std::string& folder) {
  std::string text;
  try {
    text = ReadManifestText(storage, folder);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return std::nullopt;
    throw;
  }
  StoredBackup backup;
  backup.folder = folder;
  backup.checksum = ToHex(Sha256::Of(text));
  backup.manifest_size = text.size();
  backup.manifest = CheckedManifest(text, storage, folder, backup.checksum);
  return backup;
}

bool IsNewer(const StoredBackup& one, const StoredBackup& other) {
  // RFC 3339 in UTC: the order of the texts is that of the times.
  if (one.manifest.started_at != other.manifest.started_at)
    return one.manifest.started_at > other.manifest.started_at;
  return one.folder > other.folder;
}

}  // namespace

std::vector<std::string> ListBackupFolders(Storage& storage) {
  const std::string ending = fmt::format("/{}", kManifestName);
  std::vector<std::string> folders;
  storage.List("", [&](const ObjectInfo& object) {
    if (object.name.size() > ending.size() && object.name.ends_with(ending))
      folders.push_back(object.name.substr(0, object.name.size() - ending.size()));
  });
  return folders;
}

BackupInventory ReadBackups(Storage& storage, const std::vector<std::string>& folders,
                            Cancellation& cancellation) {
  BackupInventory inventory;
  std::mutex mutex;
  std::vector<std::function<void()>> lanes;
  for (const std::string& folder : folders)
    lanes.emplace_back([&] {
      try {
        std::optional<StoredBackup> backup = ReadBackup(storage, folder);
        const std::lock_guard lock(mutex);
        if (backup) inventory.backups.push_back(std::move(*backup));
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kInvalid) throw;
        const std::lock_guard lock(mutex);
        inventory.unreadable.push_back({folder, Unreadable(storage, folder, error)});
      }
    });
  FirstFailure failure(cancellation);
  RunLanes(lanes, kReadAtOnce, failure, cancellation);
  failure.Rethrow();
  std::sort(inventory.backups.begin(), inventory.backups.end(), IsNewer);
  std::sort(inventory.unreadable.begin(), inventory.unreadable.end(),
            [](const auto& one, const auto& other) { return one.folder < other.folder; });
  return inventory;
}

}  // namespace pgbackup
