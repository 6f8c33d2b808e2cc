#include "cli/backup_address.h"

#include <fmt/format.h>
#include <CLI/Option.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "core/base/name_list.h"
#include "core/storage_backends/absent_storage.h"

namespace pgbackup {
namespace {

constexpr const char* kListHint = "\"pgbackup list\" shows what there is.";

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

// Of whom `filter` asks for backups: " of database …".
std::string WhoseBackups(const BackupFilter& filter) {
  std::string whose;
  if (!filter.database.empty()) whose += fmt::format(" of database \"{}\"", filter.database);
  if (!filter.cluster.empty()) whose += fmt::format(" of cluster \"{}\"", filter.cluster);
  return whose;
}

// What to say about a name that is none of `there`; empty when it is one, or none was asked for.
std::string Suggestion(const char* what, const std::string& asked,
                       const std::set<std::string>& there) {
  if (asked.empty() || there.empty() || there.count(asked) > 0) return {};
  std::vector<std::string> names;
  for (const std::string& name : there) {
    if (DiffersOnlyByCase(name, asked))
      return fmt::format("There are backups of {} \"{}\"; names are case-sensitive.", what, name);
    names.push_back(fmt::format("\"{}\"", name));
  }
  return fmt::format("There are backups of {} {}.", what, ListOfNames(names));
}

std::string HintFor(const BackupFilter& filter, const std::vector<StoredBackup>& backups) {
  std::set<std::string> databases, clusters;
  for (const StoredBackup& backup : backups) {
    databases.insert(backup.manifest.database);
    clusters.insert(backup.manifest.cluster.name);
  }
  std::string hint = Suggestion("database", filter.database, databases);
  if (hint.empty()) hint = Suggestion("cluster", filter.cluster, clusters);
  return hint.empty() ? kListHint : hint;
}

// Where `backups` are those that the filter was to choose from.
[[noreturn]] void ThrowNotFound(const Storage& storage, const BackupAddress& address,
                                const std::vector<StoredBackup>& backups) {
  if (address.name == "latest") throw NoneFits(storage, address.filter, backups);
  throw Error(ErrorKind::kNotFound,
              fmt::format("there is no backup \"{}\"{} in {}", address.name,
                          WhoseBackups(address.filter), storage.url()),
              "", HintFor(address.filter, backups));
}

[[noreturn]] void ThrowSeveral(const std::string& what, const std::vector<std::string>& candidates,
                               const char* hint) {
  throw UsageError(ErrorKind::kInvalid, what, fmt::format("There are {}.", ListOfNames(candidates)),
                   hint);
}

// The newest, if all are of one database of one server.
StoredBackup Latest(Storage& storage, std::vector<StoredBackup> backups) {
  std::set<std::string> databases;
  for (const StoredBackup& backup : backups)
    databases.insert(fmt::format("\"{}\"", backup.manifest.database));
  const std::set<std::string> servers = ServersOf(storage, backups);
  if (databases.size() > 1)
    ThrowSeveral("\"latest\" does not say of which database", {databases.begin(), databases.end()},
                 servers.size() > 1 ? "Add --database and, since several servers share the "
                                      "storage, --cluster."
                                    : "Add --database.");
  if (servers.size() > 1)
    ThrowSeveral("\"latest\" does not say of which server", {servers.begin(), servers.end()},
                 "Add --cluster, with the name of the cluster or the instance.");
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

Error NoneFits(const Storage& storage, const BackupFilter& filter,
               const std::vector<StoredBackup>& backups) {
  return {ErrorKind::kNotFound,
          fmt::format("there is no backup{} in {}", WhoseBackups(filter), storage.url()), "",
          HintFor(filter, backups)};
}

void BackupFilter::AddTo(CLI::App& command) {
  command.add_option("--database", database, "Only backups of this database")
      ->type_name("NAME")
      ->group("Which backup");
  command
      .add_option("--cluster", cluster,
                  "Only backups of this cluster: its name, system identifier or instance")
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
  BackupFolders found = ListBackupFolders(storage);
  std::vector<std::string>& folders = found.names;
  if (folders.empty() && found.unreadable.empty()) CheckIsThere(storage);
  const std::optional<int64_t> id = AsId(address.name);
  const bool latest = address.name == "latest";
  if (id)
    folders = FoldersForId(folders, address.name);
  else if (!latest)
    folders = FoldersForName(folders, address.name);
  InventoryRules rules{keys, std::nullopt};
  if (latest) rules.now = context.environment.Now();
  BackupInventory inventory = ReadBackups(storage, folders, rules, context.cancellation);
  if (id)
    std::erase_if(inventory.backups,
                  [&](const StoredBackup& backup) { return backup.manifest.id != *id; });
  std::vector<StoredBackup> candidates = std::exchange(inventory.backups, {});
  for (StoredBackup& backup : candidates)
    if (address.filter.Fits(backup.manifest)) inventory.backups.push_back(backup);
  // A backup that was found by its name is not in a folder that cannot be looked into.
  if (latest || inventory.backups.empty())
    std::move(found.unreadable.begin(), found.unreadable.end(),
              std::back_inserter(inventory.unreadable));
  if (inventory.backups.empty() && inventory.unreadable.size() == 1)
    throw inventory.unreadable.front().error;
  WarnOfUnreadable(inventory.unreadable, context.log);
  if (latest && !inventory.backups.empty() && !inventory.unreadable.empty())
    context.log(MayBeNewer(inventory.unreadable.size(),
                           fmt::format("\"{}\"", inventory.backups.front().folder)));
  if (inventory.backups.empty()) ThrowNotFound(storage, address, candidates);
  return latest ? Latest(storage, std::move(inventory.backups))
                : OnlyOne(address.name, std::move(inventory.backups));
}

}  // namespace pgbackup
