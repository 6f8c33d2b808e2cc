#include "core/run/inventory_run.h"

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/manifest/backup_inventory.h"
#include "core/manifest/encrypted_contents.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

json::array FoldersIn(Storage& storage) {
  json::array folders;
  for (const std::string& folder : ListBackupFolders(storage))
    folders.push_back(JsonText(std::string_view(folder)));
  return folders;
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

json::array BackupsOf(const InventoryJob& job, const RunContext& context, Storage& storage,
                      BackupInventory inventory) {
  json::array backups;
  for (StoredBackup& backup : inventory.backups) {
    const uint64_t size = backup.manifest.StoredSize() + backup.manifest_size;
    OpenIfPossible(job, context, storage, &backup);
    backups.push_back(json::object{{"file_name", JsonText(std::string_view(backup.folder))},
                                   {"checksum", JsonText(std::string_view(backup.checksum))},
                                   {"file_size", size},
                                   {"manifest", ManifestForCatalog(backup.manifest)}});
  }
  return backups;
}

json::array UnreadableOf(const BackupInventory& inventory) {
  json::array unreadable;
  for (const UnreadableBackup& backup : inventory.unreadable)
    unreadable.push_back(
        json::object{{"file_name", JsonText(std::string_view(backup.folder))},
                     {"message", JsonText(std::string_view(backup.error.message()))}});
  return unreadable;
}

}  // namespace

RunOutcome RunInventory(const InventoryJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("listing");
    const auto storage = context.open_storage(context.cancellation);
    RunOutcome outcome;
    if (job.folders.empty()) {
      outcome.fields["folders"] = FoldersIn(*storage);
      return outcome;
    }
    BackupInventory inventory = ReadBackups(*storage, job.folders, context.cancellation);
    outcome.fields["unreadable"] = UnreadableOf(inventory);
    outcome.fields["backups"] = BackupsOf(job, context, *storage, std::move(inventory));
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
