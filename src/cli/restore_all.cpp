#include "cli/restore_all.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "cli/backup_servers.h"
#include "cli/exit_status.h"
#include "cli/restore_words.h"
#include "cli/rights_warning.h"
#include "cli/run_id.h"
#include "core/job/events.h"
#include "core/manifest/encrypted_contents.h"
#include "core/postgres/quoting.h"
#include "core/restore/plan/stored_globals.h"
#include "core/restore/preflight/missing_roles.h"
#include "core/restore/preflight/missing_tablespaces.h"
#include "core/restore/restore_run.h"
#include "core/storage_backends/absent_storage.h"

namespace pgbackup {
namespace {

// Where to connect to while the usual one, which the restore replaces, is made.
constexpr const char* kOtherMaintenanceDatabase = "template1";

using NewestBackups = std::map<std::string, StoredBackup>;  // the newest whole one of each database

// Opens the backup, if need be: which schemas and tables it is limited to is encrypted, too.
// One that is damaged is logged and none.
bool IsWhole(StoredBackup* backup, const RestoreJob& job, Storage& storage,
             const RunContext& context) {
  Manifest& manifest = backup->manifest;
  if (manifest.content != DumpContent::kAll) return false;
  try {
    OpenEncryptedBackup(storage, backup->folder, job.encryption, context.progress, &manifest);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    context.log(
        fmt::format("warning: backup \"{}\" is passed over: {}", backup->folder, error.message()));
    return false;
  }
  return manifest.selection.IsEmpty();
}

void CheckOneServer(Storage& storage, const std::vector<StoredBackup>& backups) {
  const std::set<std::string> servers = ServersOf(storage, backups);
  if (servers.size() > 1)
    throw UsageError(ErrorKind::kInvalid, "--all does not say of which server",
                     fmt::format("There are backups of {}.", fmt::join(servers, ", ")),
                     "Add --cluster, with the name of the cluster or the instance.");
}

NewestBackups FindBackups(const RestoreJob& job, const BackupFilter& filter, Storage& storage,
                          const RunContext& context) {
  const BackupFolders folders = ListBackupFolders(storage);
  if (folders.names.empty() && folders.unreadable.empty()) CheckIsThere(storage);
  BackupInventory inventory = ReadBackups(
      storage, folders, {job.manifest_key, context.environment.Now()}, context.cancellation);
  WarnOfUnreadable(inventory.unreadable, context.log);
  if (!inventory.unreadable.empty())
    context.log(MayBeNewer(inventory.unreadable.size(), "those that are restored"));
  std::erase_if(inventory.backups,
                [&](const StoredBackup& backup) { return !filter.Fits(backup.manifest); });
  CheckOneServer(storage, inventory.backups);
  NewestBackups newest;
  std::set<std::string> only_parts;
  for (StoredBackup& backup : inventory.backups) {
    const std::string database = backup.manifest.database;
    if (newest.count(database) != 0) continue;
    if (IsWhole(&backup, job, storage, context)) {
      only_parts.erase(database);
      newest.emplace(database, std::move(backup));
    } else {
      only_parts.insert(database);
    }
  }
  for (const std::string& database : only_parts)
    context.log(
        fmt::format("warning: there are only backups of parts of database \"{}\"", database));
  if (newest.empty())
    throw Error(ErrorKind::kNotFound,
                fmt::format("there is no backup of a whole database in {}", storage.url()), "",
                "\"pgbackup list\" shows what there is.");
  return newest;
}

// What the newest backup whose globals can be read says of roles and tablespaces; empty when that
// is nothing.
std::string NewestGlobals(const NewestBackups& backups, Storage& storage,
                          const RunContext& context) {
  std::vector<const StoredBackup*> newest_first;
  for (const auto& [database, backup] : backups) newest_first.push_back(&backup);
  std::sort(newest_first.begin(), newest_first.end(),
            [](const StoredBackup* one, const StoredBackup* other) {
              return one->manifest.started_at > other->manifest.started_at;
            });
  std::optional<Error> failure;
  for (const StoredBackup* backup : newest_first) {
    const ManifestObject* globals = GlobalsOf(backup->manifest);
    if (globals == nullptr) return "";
    try {
      return ReadGlobals(storage, backup->folder, *globals, context.progress);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
      context.log(fmt::format("warning: the roles in backup \"{}\" cannot be read: {}",
                              backup->folder, error.message()));
      if (!failure) failure = error;
    }
  }
  throw *failure;
}

// Makes what belongs to no database, or lets `options` of a dry run know what would be made.
void MakeRolesAndTablespaces(const RestoreJob& job, const std::string& globals,
                             const RunContext& context, RestoreOptions* options) {
  context.progress.SetPhase("creating roles and tablespaces");
  PostgresConnection connection(SettingsFor(job.server, job.server.maintenance_database),
                                context.cancellation);
  const RoleScript roles = PlanAllRoles(globals, connection);
  std::vector<TablespaceScript> tablespaces;
  if (!options->no_tablespaces) {
    Findings findings;
    tablespaces = PlanMissingTablespaces(globals, connection, &findings);
    findings.ThrowIfAny("not all tablespaces can be made");
  }
  const auto log = [&](const std::string& text) {
    if (!text.empty()) context.log(text);
  };
  if (options->dry_run) {
    for (const TablespaceScript& tablespace : tablespaces)
      options->coming_tablespaces.push_back(tablespace.name);
  } else {
    CreateRoles(connection, roles);
    log(CreatedRolesInWords(roles));
    CreateTablespaces(connection, tablespaces);
  }
  log(TablespacesInWords(tablespaces, options->dry_run));
}

RestoreJob JobFor(const RestoreJob& job, const StoredBackup& backup, int64_t id) {
  RestoreJob one = job;
  one.id = id;
  one.file_name = backup.folder;
  one.checksum = backup.checksum;
  one.backup_id = backup.manifest.id;
  one.target_database = backup.manifest.database;
  one.options.create_roles = true;
  if (one.server.maintenance_database == one.target_database)
    one.server.maintenance_database = kOtherMaintenanceDatabase;
  return one;
}

}  // namespace

int RunRestoreAll(RestoreJob job, const BackupFilter& filter, const OutputOptions& output,
                  const CLI::App& command) {
  NewestBackups backups;
  const RunOutcome found = RunOnConsole(job, output, [&](const RunContext& context) {
    if (!job.options.dry_run && !output.quiet) WarnOfSuperuserRights(job.server, context);
    context.progress.SetPhase("looking for the backups");
    const auto storage = context.open_storage(context.cancellation);
    backups = FindBackups(job, filter, *storage, context);
    MakeRolesAndTablespaces(job, NewestGlobals(backups, *storage, context), context, &job.options);
    return RunOutcome();
  });
  if (found.state != RunState::kCompleted) return ReportOutcome(found, output, command);

  OutputOptions words = output;
  words.json = false;
  boost::json::array results;
  std::vector<std::string> failed;
  int status = kExitDone;
  int64_t id = job.id;
  for (const auto& [database, backup] : backups) {
    const RestoreJob one = JobFor(job, backup, id++);
    const RunOutcome outcome = RunOnConsole(
        one, output, [&](const RunContext& context) { return RunRestore(one, context); });
    const int ended = ReportOutcome(
        outcome, words, command, output.json ? std::function<std::string()>() : [&] {
          return RestoreInWords(one, outcome);
        });
    if (output.json) {
      boost::json::object result = boost::json::parse(FinalEvent(outcome)).as_object();
      result["database"] = database;
      result["file_name"] = one.file_name;
      results.push_back(std::move(result));
    }
    if (ended == kExitDone) continue;
    if (status == kExitDone) status = ended;
    failed.push_back(database);
    if (ended == kExitInterrupted) break;
  }
  if (output.json) PrintJson(results);
  if (!failed.empty()) PrintRemark(fmt::format("not restored: {}", QuotedList(failed)));
  return status;
}

}  // namespace pgbackup
