// pgbackup list: the backups in a storage, newest first.
#include <fmt/format.h>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>

#include "cli/backup_address.h"
#include "cli/backup_json.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/manifest_key_options.h"
#include "cli/progress_display.h"
#include "cli/storage_options.h"
#include "cli/table.h"
#include "core/storage_backends/absent_storage.h"

namespace pgbackup {
namespace {

struct ListOptions {
  StorageOptions storage;
  ManifestKeyOptions manifest_key;
  BackupFilter filter;
  OutputOptions output;
  uint64_t limit = 0;  // 0: none
};

void PrintList(const std::vector<StoredBackup>& backups, const OutputOptions& output) {
  if (output.json) {
    boost::json::array array;
    for (const StoredBackup& backup : backups) array.push_back(BackupToJson(backup));
    PrintJson(array);
    return;
  }
  const bool on_terminal = IsOutputTerminal();
  Table table;
  table.titles = {"ID",     "DATABASE", "CLUSTER", "STARTED", "SIZE",
                  "FORMAT", "LABEL",    "NAME",    "INSTANCE"};
  for (const StoredBackup& backup : backups) {
    const Manifest& manifest = backup.manifest;
    const uint64_t size = StoredSizeOf(backup);
    table.rows.push_back({std::to_string(manifest.id), manifest.database, manifest.cluster.name,
                          on_terminal ? ShortTime(manifest.started_at) : manifest.started_at,
                          on_terminal ? SizeInWords(size) : std::to_string(size),
                          DumpFormatName(manifest.format), manifest.label.value_or(""),
                          backup.folder, InstanceOf(manifest)});
  }
  if (on_terminal && backups.empty()) return;
  PrintText(TableText(table, on_terminal));
}

int RunList(const ListOptions& options, const CLI::App& command) {
  JobBase job;
  job.storage = options.storage.settings();
  job.manifest_key = options.manifest_key.settings();
  BackupInventory inventory;
  std::optional<Error> nothing_fits;  // what to say when nothing fits
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    context.progress.SetPhase("listing");
    const auto storage = context.open_storage(context.cancellation);
    const BackupFolders folders = ListBackupFolders(*storage);
    if (folders.names.empty() && folders.unreadable.empty()) CheckIsThere(*storage);
    inventory =
        ReadBackups(*storage, folders, {job.manifest_key, std::nullopt}, context.cancellation);
    nothing_fits = NoneFits(*storage, options.filter, inventory.backups);
    return RunOutcome();
  });
  if (outcome.state != RunState::kCompleted) {
    OutputOptions words = options.output;
    words.json = false;
    return ReportOutcome(outcome, words, command);
  }
  std::erase_if(inventory.backups,
                [&](const StoredBackup& backup) { return !options.filter.Fits(backup.manifest); });
  if (options.limit > 0 && inventory.backups.size() > options.limit)
    inventory.backups.erase(inventory.backups.begin() + static_cast<ptrdiff_t>(options.limit),
                            inventory.backups.end());
  PrintList(inventory.backups, options.output);
  const size_t named = std::min(inventory.unreadable.size(), kMostNamed);
  for (size_t i = 0; i < named; ++i) ReportError(inventory.unreadable[i].error, command);
  if (named < inventory.unreadable.size())
    PrintRemark(fmt::format("{} more backups cannot be read", inventory.unreadable.size() - named));
  if (!inventory.unreadable.empty()) return kExitDamaged;
  if (!inventory.backups.empty()) return kExitDone;
  if (options.filter.IsGiven()) {
    ReportError(*nothing_fits, command);
    return kExitNotFound;
  }
  if (!options.output.quiet) PrintRemark("no backups");
  return kExitDone;
}

}  // namespace

Command AddListCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("list", "List the backups in a storage, newest first");
  const auto options = std::make_shared<ListOptions>();
  options->filter.AddTo(*app);
  app->add_option("-n,--limit", options->limit, "The newest so many only")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group("Which backup");
  options->storage.AddTo(*app);
  options->manifest_key.AddReadingTo(*app);
  options->output.AddTo(*app);
  app->footer(
      "\nColumns: id, database, cluster, when it was started, bytes stored, format, label, name, "
      "instance.\n"
      "When standard output is no terminal they are separated by tabs, without titles, sizes in "
      "bytes.");
  return {app, [options, app] { return RunList(*options, *app); }};
}

}  // namespace pgbackup
