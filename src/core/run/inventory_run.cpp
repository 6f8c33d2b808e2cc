#include "core/run/inventory_run.h"

#include "core/base/json.h"
#include "core/manifest/backup_inventory.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

json::array FoldersIn(Storage& storage) {
  json::array folders;
  for (const std::string& folder : ListBackupFolders(storage))
    folders.push_back(JsonText(std::string_view(folder)));
  return folders;
}

json::array BackupsOf(const BackupInventory& inventory) {
  json::array backups;
  for (const StoredBackup& backup : inventory.backups)
    backups.push_back(
        json::object{{"file_name", JsonText(std::string_view(backup.folder))},
                     {"checksum", JsonText(std::string_view(backup.checksum))},
                     {"file_size", backup.manifest.StoredSize() + backup.manifest_size},
                     {"manifest", ManifestForCatalog(backup.manifest)}});
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
    const BackupInventory inventory = ReadBackups(*storage, job.folders, context.cancellation);
    outcome.fields["backups"] = BackupsOf(inventory);
    outcome.fields["unreadable"] = UnreadableOf(inventory);
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
