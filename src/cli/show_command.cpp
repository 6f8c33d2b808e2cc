// pgbackup show: what a backup is made of.
#include <fmt/format.h>

#include "cli/backup_address.h"
#include "cli/backup_json.h"
#include "cli/command.h"
#include "cli/manifest_key_options.h"
#include "cli/progress_display.h"
#include "cli/storage_options.h"
#include "cli/table.h"

namespace pgbackup {
namespace {

struct ShowOptions {
  StorageOptions storage;
  ManifestKeyOptions manifest_key;
  BackupAddress address;
  OutputOptions output;
};

std::string TablesInWords(const ManifestObject& object) {
  std::string words;
  for (const QualifiedName& table : object.tables)
    words += fmt::format("{}{}", words.empty() ? "" : ", ", QuoteQualifiedName(table));
  return words;
}

void PrintBackup(const StoredBackup& backup) {
  const Manifest& manifest = backup.manifest;
  const std::vector<std::pair<const char*, std::string>> facts = {
      {"id", std::to_string(manifest.id)},
      {"name", backup.folder},
      {"database", manifest.database},
      {"cluster", manifest.cluster.name},
      {"label", manifest.label.value_or("")},
      {"type", manifest.backup_type},
      {"content", DumpContentName(manifest.content)},
      {"format", DumpFormatName(manifest.format)},
      {"compression", manifest.compression},
      {"started", manifest.started_at},
      {"finished", manifest.finished_at},
      {"made by", manifest.created_by},
      {"server version", manifest.cluster.server_version},
      {"pg_dump version", manifest.pg_dump_version},
      {"pgbackup version", manifest.pgbackup_version},
      {"owner", manifest.properties.owner},
      {"encoding", manifest.properties.encoding},
      {"database size", std::to_string(manifest.database_size)},
      {"raw size", std::to_string(manifest.RawSize())},
      {"stored size", std::to_string(StoredSizeOf(backup))},
      {"checksum", backup.checksum}};
  Table table;
  table.titles = {"", ""};
  for (const auto& [title, value] : facts) table.rows.push_back({title, value});
  Table objects;
  objects.titles = {"OBJECT", "STORED", "RAW", "TABLES"};
  for (const ManifestObject& object : manifest.objects)
    objects.rows.push_back({object.name, std::to_string(object.Size()),
                            std::to_string(object.raw_size), TablesInWords(object)});
  const bool on_terminal = IsOutputTerminal();
  const std::string text = TableText(table, on_terminal);
  // The facts need no titles.
  PrintText(on_terminal ? text.substr(text.find('\n') + 1) : text);
  PrintLine("");
  PrintText(TableText(objects, on_terminal));
}

int RunShow(const ShowOptions& options, const CLI::App& command) {
  JobBase job;
  job.storage = options.storage.settings();
  job.manifest_key = options.manifest_key.settings();
  StoredBackup backup;
  RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    context.progress.SetPhase("looking for the backup");
    const auto storage = context.open_storage(context.cancellation);
    backup = FindBackup(*storage, options.address, job.manifest_key, context);
    return RunOutcome();
  });
  if (outcome.state != RunState::kCompleted) return ReportOutcome(outcome, options.output, command);
  if (options.output.json) {
    boost::json::object object = BackupToJson(backup);
    object["manifest"] = ManifestToJson(backup.manifest);
    PrintJson(object);
  } else {
    PrintBackup(backup);
  }
  return ExitStatusOf(outcome);
}

}  // namespace

Command AddShowCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("show", "Show what a backup is made of");
  const auto options = std::make_shared<ShowOptions>();
  options->address.AddTo(*app);
  options->storage.AddTo(*app);
  options->manifest_key.AddReadingTo(*app);
  options->output.AddTo(*app);
  return {app, [options, app] { return RunShow(*options, *app); }};
}

}  // namespace pgbackup
