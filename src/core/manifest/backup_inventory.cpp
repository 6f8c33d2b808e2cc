#include "core/manifest/backup_inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>

#include "core/base/iso_time.h"
#include "core/base/lanes.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest_mac.h"
#include "core/manifest/manifest_store.h"

namespace pgbackup {
namespace {

constexpr size_t kReadAtOnce = 8;

Error Unreadable(const Storage& storage, const std::string& folder, const Error& error) {
  if (error.kind() != ErrorKind::kInvalid) return error;
  return {ErrorKind::kCorrupt,
          fmt::format("the manifest in \"{}/{}\" cannot be read: {}", storage.url(), folder,
                      error.message()),
          error.detail(), error.hint()};
}

void CheckTime(const Manifest& manifest, const std::string& where, WallTime now) {
  for (const std::string& text : {manifest.started_at, manifest.finished_at}) {
    const std::optional<WallTime> time = ParseIsoTime(text);
    if (time && *time > now + kClockTolerance)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the manifest in \"{}\" is from the future", where),
                  fmt::format("It says that the backup was made at {}.", text),
                  "Check the clock here and that of the server that made it. To use the backup, "
                  "name it.");
  }
}

class Reader {
 public:
  Reader(Storage& storage, const InventoryRules& rules) : storage_(storage), rules_(rules) {
    if (!rules.keys.file.empty()) keys_.emplace(rules.keys.file);
  }

  // Safe to be called by several threads.
  void Read(const std::string& folder);

  // Throws when the storage let nothing be read.
  BackupInventory Take();

 private:
  StoredBackup Checked(const std::string& folder, const std::string& text) const;
  FoundMarks MarksOf(const StoredBackup& backup) const;

  Storage& storage_;
  const InventoryRules& rules_;
  std::optional<ManifestKeys> keys_;
  std::mutex mutex_;
  BackupInventory inventory_;
  std::vector<UnreadableBackup> denied_;  // by the storage
};

void Reader::Read(const std::string& folder) {
  bool is_read = false;
  try {
    const std::string text = ReadManifestText(storage_, folder);
    is_read = true;
    StoredBackup backup = Checked(folder, text);
    if (rules_.with_marks) backup.found_marks = MarksOf(backup);
    const std::lock_guard lock(mutex_);
    inventory_.backups.push_back(std::move(backup));
  } catch (const Error& error) {
    const ErrorKind kind = error.kind();
    if (!is_read && kind == ErrorKind::kNotFound) return;
    const bool is_denied = !is_read && kind == ErrorKind::kDenied;
    if (!is_read && !is_denied && kind != ErrorKind::kCorrupt && kind != ErrorKind::kInvalid) throw;
    const std::lock_guard lock(mutex_);
    (is_denied ? denied_ : inventory_.unreadable)
        .push_back({folder, Unreadable(storage_, folder, error)});
  }
}

StoredBackup Reader::Checked(const std::string& folder, const std::string& text) const {
  const std::string where = fmt::format("{}/{}", storage_.url(), folder);
  CheckManifestMac(text, keys_ ? &*keys_ : nullptr, rules_.keys.allow_unsigned, where);
  StoredBackup backup;
  backup.folder = folder;
  backup.checksum = ToHex(Sha256::Of(text));
  backup.manifest_size = text.size();
  backup.manifest = CheckedManifest(text, storage_, folder, backup.checksum, {});
  if (rules_.now) CheckTime(backup.manifest, where, *rules_.now);
  return backup;
}

FoundMarks Reader::MarksOf(const StoredBackup& backup) const {
  MarksRules rules{keys_ ? &*keys_ : nullptr, rules_.keys.allow_unsigned};
  if (rules_.now) rules.latest = *rules_.now + kClockTolerance;
  return ReadMarks(storage_, backup.folder, backup.checksum, rules);
}

bool IsNewer(const StoredBackup& one, const StoredBackup& other) {
  // RFC 3339 in UTC: the order of the texts is that of the times.
  if (one.manifest.started_at != other.manifest.started_at)
    return one.manifest.started_at > other.manifest.started_at;
  return one.folder > other.folder;
}

void SortByFolder(std::vector<UnreadableBackup>* backups) {
  std::sort(backups->begin(), backups->end(),
            [](const auto& one, const auto& other) { return one.folder < other.folder; });
}

BackupInventory Reader::Take() {
  if (!denied_.empty() && inventory_.backups.empty() && inventory_.unreadable.empty() &&
      !rules_.may_all_be_denied)
    throw denied_.front().error;
  for (UnreadableBackup& backup : denied_) inventory_.unreadable.push_back(std::move(backup));
  std::sort(inventory_.backups.begin(), inventory_.backups.end(), IsNewer);
  SortByFolder(&inventory_.unreadable);
  return std::move(inventory_);
}

}  // namespace

BackupFolders ListBackupFolders(Storage& storage) {
  const std::string ending = fmt::format("/{}", kManifestName);
  BackupFolders folders;
  storage.ListReadable(
      "",
      [&](const ObjectInfo& object) {
        if (object.name.size() > ending.size() && object.name.ends_with(ending))
          folders.names.push_back(object.name.substr(0, object.name.size() - ending.size()));
      },
      [&](const std::string& folder, const Error& why) {
        folders.unreadable.push_back({folder, why});
      });
  return folders;
}

BackupInventory ReadBackups(Storage& storage, const std::vector<std::string>& folders,
                            const InventoryRules& rules, Cancellation& cancellation) {
  Reader reader(storage, rules);
  std::vector<std::function<void()>> lanes;
  for (const std::string& folder : folders) lanes.emplace_back([&] { reader.Read(folder); });
  FirstFailure failure(cancellation);
  RunLanes(lanes, kReadAtOnce, failure, cancellation);
  failure.Rethrow();
  return reader.Take();
}

BackupInventory ReadBackups(Storage& storage, BackupFolders folders, const InventoryRules& rules,
                            Cancellation& cancellation) {
  BackupInventory inventory = ReadBackups(storage, folders.names, rules, cancellation);
  for (UnreadableBackup& backup : folders.unreadable)
    inventory.unreadable.push_back(std::move(backup));
  SortByFolder(&inventory.unreadable);
  return inventory;
}

void WarnOfUnreadable(const std::vector<UnreadableBackup>& unreadable,
                      const std::function<void(const std::string&)>& log) {
  const size_t named = std::min(unreadable.size(), kMostNamed);
  for (size_t i = 0; i < named; ++i) log("warning: " + unreadable[i].error.message());
  if (named < unreadable.size())
    log(fmt::format("warning: {} more backups cannot be read", unreadable.size() - named));
}

std::string MayBeNewer(size_t unreadable, const std::string& than) {
  return unreadable == 1
             ? fmt::format("warning: one backup cannot be read and may be newer than {}", than)
             : fmt::format("warning: {} backups cannot be read and may be newer than {}",
                           unreadable, than);
}

}  // namespace pgbackup
