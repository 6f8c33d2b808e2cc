#include "core/maintenance/inventory_run.h"

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/job/events.h"
#include "core/manifest/backup_inventory.h"
#include "core/manifest/encrypted_contents.h"
#include "core/storage_backends/absent_storage.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

// What an answer may have; a server takes less than 256 MiB, and escapes can double this.
constexpr size_t kLargestAnswer = 64 << 20;

json::value Entry(const json::value& value) {
  return json::value(AsciiJson(value));
}

json::value UnreadableEntry(const std::string& folder, const Error& error) {
  json::object fields = ErrorFields(error);
  fields["file_name"] = JsonText(std::string_view(folder));
  return Entry(fields);
}

Error ImpossibleFolder(const Storage& storage, const std::string& folder) {
  return {ErrorKind::kCorrupt,
          fmt::format("a manifest in \"{}\" lies in a folder whose name cannot be a backup's",
                      storage.url()),
          fmt::format("The folder is \"{}\".", folder), "Find out who wrote it."};
}

void ListFolders(Storage& storage, json::object* fields) {
  json::array folders, unreadable;
  const BackupFolders found = ListBackupFolders(storage);
  if (found.names.empty() && found.unreadable.empty()) CheckIsThere(storage);
  for (const UnreadableBackup& backup : found.unreadable)
    unreadable.push_back(UnreadableEntry(backup.folder, backup.error));
  for (const std::string& folder : found.names) {
    if (IsValidObjectName(folder))
      folders.push_back(Entry(json::value(folder)));
    else
      unreadable.push_back(UnreadableEntry(folder, ImpossibleFolder(storage, folder)));
  }
  (*fields)["folders"] = std::move(folders);
  (*fields)["unreadable"] = std::move(unreadable);
}

// Makes the manifest of an encrypted backup whole when there is a key to it. Without, what is in
// clear is enough to enter and to restore it.
void OpenIfPossible(const InventoryJob& job, const RunContext& context, Storage& storage,
                    StoredBackup* backup) {
  if (!backup->manifest.encryption ||
      (job.encryption.identity_file.empty() && job.encryption.passphrase_file.empty()))
    return;
  std::vector<ManifestObject> objects = backup->manifest.objects;
  try {
    OpenEncryptedBackup(storage, backup->folder, job.encryption, context.progress,
                        &backup->manifest);
    // The catalog knows the object with the contents, too.
    for (ManifestObject& object : objects)
      if (object.kind == ObjectKind::kContents)
        backup->manifest.objects.push_back(std::move(object));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    context.log(fmt::format("of backup \"{}\" only what is in clear is known: {}", backup->folder,
                            error.message()));
  }
}

json::value MarksForCatalog(const FoundMarks& found) {
  if (!found.marks) return nullptr;
  return json::object{{"pinned", found.marks->pinned},
                      {"verified_at", JsonTextOrNull(found.marks->verified_at)},
                      {"verified_level", JsonTextOrNull(found.marks->verified_level)},
                      {"changed_at", found.marks->changed_at}};
}

Error TooLargeForCatalog(const Storage& storage, const std::string& folder, size_t size) {
  return {ErrorKind::kInvalid,
          fmt::format("the manifest in \"{}/{}\" is too large", storage.url(), folder),
          fmt::format("It would take {} bytes of the catalog.", size)};
}

void DescribeBackups(const InventoryJob& job, const RunContext& context, Storage& storage,
                     BackupInventory inventory, json::object* fields) {
  json::array backups, unreadable, deferred;
  for (const UnreadableBackup& backup : inventory.unreadable)
    unreadable.push_back(UnreadableEntry(backup.folder, backup.error));
  size_t answer = 0;
  for (StoredBackup& backup : inventory.backups) {
    if (answer >= kLargestAnswer) {
      deferred.push_back(Entry(json::value(backup.folder)));
      continue;
    }
    const uint64_t size = backup.manifest.StoredSize() + backup.manifest_size;
    OpenIfPossible(job, context, storage, &backup);
    json::value entry =
        Entry(json::object{{"file_name", JsonText(std::string_view(backup.folder))},
                           {"checksum", JsonText(std::string_view(backup.checksum))},
                           {"file_size", size},
                           {"marks", MarksForCatalog(backup.found_marks)},
                           {"marks_ignored", JsonTextOrNull(backup.found_marks.ignored)},
                           {"manifest", ManifestForCatalog(backup.manifest)}});
    const size_t entry_size = entry.get_string().size();
    if (entry_size > kLargestAnswer) {
      unreadable.push_back(
          UnreadableEntry(backup.folder, TooLargeForCatalog(storage, backup.folder, entry_size)));
    } else if (answer > 0 && answer + entry_size > kLargestAnswer) {
      deferred.push_back(Entry(json::value(backup.folder)));
      answer = kLargestAnswer;
    } else {
      answer += entry_size;
      backups.push_back(std::move(entry));
    }
  }
  (*fields)["backups"] = std::move(backups);
  (*fields)["unreadable"] = std::move(unreadable);
  (*fields)["deferred"] = std::move(deferred);
}

}  // namespace

RunOutcome RunInventory(const InventoryJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("listing");
    const auto storage = context.open_storage(context.cancellation);
    RunOutcome outcome;
    if (job.folders.empty()) {
      ListFolders(*storage, &outcome.fields);
      return outcome;
    }
    const InventoryRules rules{job.manifest_key, context.environment.Now(),
                               /*may_all_be_denied=*/true, /*with_marks=*/true};
    DescribeBackups(job, context, *storage,
                    ReadBackups(*storage, job.folders, rules, context.cancellation),
                    &outcome.fields);
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
