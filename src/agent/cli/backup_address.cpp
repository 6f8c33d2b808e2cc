#include "agent/cli/backup_address.h"

#include <fmt/format.h>
#include <CLI/Option.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace pgbackup {
namespace {

constexpr const char* kListHint = "\"pgbackup list\" shows what there is.";
constexpr size_t kMostCandidates = 20;  // that a message lists

std::optional<int64_t> AsId(const std::string& name) {
  int64_t id = 0;
  const char* end = name.data() + name.size();
  const auto [rest, failed] = std::from_chars(name.data(), end, id);
  if (failed != std::errc() || rest != end) return std::nullopt;
  return id;
}

std::string_view LastPart(std::string_view folder) {
  return folder.substr(folder.rfind('/') + 1);
}

// The folders that an id may be about, by their names: the id stands at the end, where the default
// template puts it. All of them when none does.
std::vector<std::string> FoldersForId(const std::vector<std::string>& all, const std::string& id) {
  std::vector<std::string> found;
  for (const std::string& folder : all) {
    const std::string_view leaf = LastPart(folder);
    if (leaf == id || leaf.ends_with("_" + id)) found.push_back(folder);
  }
  return found.empty() ? all : found;
}

std::vector<std::string> FoldersForName(const std::vector<std::string>& all,
                                        const std::string& name) {
  std::vector<std::string> found;
  for (const std::string& folder : all) {
    if (folder == name) return {folder};
    if (folder.ends_with("/" + name)) found.push_back(folder);
  }
  return found;
}

[[noreturn]] void ThrowNotFound(const Storage& storage, const BackupAddress& address) {
  std::string whose;
  if (!address.filter.database.empty())
    whose += fmt::format(" of database \"{}\"", address.filter.database);
  if (!address.filter.cluster.empty())
    whose += fmt::format(" of cluster \"{}\"", address.filter.cluster);
  throw Error(
      ErrorKind::kNotFound,
      address.name == "latest"
          ? fmt::format("there is no backup{} in {}", whose, storage.url())
          : fmt::format("there is no backup \"{}\"{} in {}", address.name, whose, storage.url()),
      "", kListHint);
}

[[noreturn]] void ThrowSeveral(const std::string& what, const std::vector<std::string>& candidates,
                               const char* hint) {
  std::string list;
  for (size_t i = 0; i < candidates.size() && i < kMostCandidates; ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ", ", candidates[i]);
  if (candidates.size() > kMostCandidates) list += ", …";
  throw UsageError(ErrorKind::kInvalid, what, fmt::format("There are {}.", list), hint);
}

// The newest, if all are of one database.
StoredBackup Latest(std::vector<StoredBackup> backups) {
  std::set<std::string> whose;
  for (const StoredBackup& backup : backups)
    whose.insert(fmt::format("\"{}\" of cluster \"{}\"", backup.manifest.database,
                             backup.manifest.cluster.name));
  if (whose.size() > 1)
    ThrowSeveral("\"latest\" does not say of which database", {whose.begin(), whose.end()},
                 "Add --database and, where several clusters share the storage, --cluster.");
  return std::move(backups.front());
}

StoredBackup OnlyOne(const std::string& name, std::vector<StoredBackup> backups) {
  if (backups.size() > 1) {
    std::vector<std::string> folders;
    for (const StoredBackup& backup : backups) folders.push_back(backup.folder);
    ThrowSeveral(fmt::format("several backups are named \"{}\"", name), folders,
                 "Use the whole name, or add --database or --cluster.");
  }
  return std::move(backups.front());
}

}  // namespace

void BackupFilter::AddTo(CLI::App& command) {
  command.add_option("--database", database, "Only backups of this database")
      ->type_name("NAME")
      ->group("Which backup");
  command
      .add_option("--cluster", cluster, "Only backups of this cluster, as pgbackup.cluster_name")
      ->type_name("NAME")
      ->group("Which backup");
}

CLI::Option* BackupAddress::AddTo(CLI::App& command) {
  CLI::Option* option =
      command
          .add_option("backup", name,
                      "The backup: its id, its file_name or the last part of that, or latest")
          ->type_name("ID|NAME|latest")
          ->required();
  filter.AddTo(command);
  return option;
}

StoredBackup FindBackup(Storage& storage, const BackupAddress& address,
                        const ManifestKeySettings& keys, const RunContext& context) {
  std::vector<std::string> folders = ListBackupFolders(storage);
  const std::optional<int64_t> id = AsId(address.name);
  const bool latest = address.name == "latest";
  if (id)
    folders = FoldersForId(folders, address.name);
  else if (!latest)
    folders = FoldersForName(folders, address.name);
  InventoryRules rules{keys, std::nullopt};
  if (latest) rules.now = context.environment.Now();
  BackupInventory inventory = ReadBackups(storage, folders, rules, context.cancellation);
  std::erase_if(inventory.backups, [&](const StoredBackup& backup) {
    return !address.filter.Fits(backup.manifest) || (id && backup.manifest.id != *id);
  });
  if (inventory.backups.empty() && inventory.unreadable.size() == 1)
    throw inventory.unreadable.front().error;
  for (const UnreadableBackup& unreadable : inventory.unreadable)
    context.log("warning: " + unreadable.error.message());
  if (inventory.backups.empty()) ThrowNotFound(storage, address);
  return latest ? Latest(std::move(inventory.backups))
                : OnlyOne(address.name, std::move(inventory.backups));
}

}  // namespace pgbackup
