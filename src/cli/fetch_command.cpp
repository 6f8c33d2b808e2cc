// pgbackup fetch: brings a backup into a directory.
#include <fmt/format.h>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include <filesystem>

#include "cli/backup_address.h"
#include "cli/command.h"
#include "cli/encryption_options.h"
#include "cli/manifest_key_options.h"
#include "cli/storage_options.h"
#include "core/fetch/fetch_run.h"

namespace pgbackup {
namespace {

struct FetchOptions {
  StorageOptions storage;
  EncryptionOptions encryption;
  ManifestKeyOptions manifest_key;
  BackupAddress address;
  OutputOptions output;
  FetchJob job;
};

int RunFetchCommand(FetchOptions options, const CLI::App& command) {
  FetchJob& job = options.job;
  job.storage = options.storage.settings();
  job.encryption = options.encryption.settings();
  job.manifest_key = options.manifest_key.settings();
  job.directory = std::filesystem::absolute(job.directory).lexically_normal().string();
  while (job.directory.size() > 1 && job.directory.back() == '/') job.directory.pop_back();
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    AimAtBackup(options.address, context, &job);
    return RunFetch(job, context);
  });
  return ReportOutcome(outcome, options.output, command,
                       [&] { return fmt::format("{} is in {}", job.file_name, job.directory); });
}

}  // namespace

Command AddFetchCommand(CLI::App& root) {
  CLI::App* app =
      root.add_subcommand("fetch", "Bring a backup into a directory, every byte checked");
  const auto options = std::make_shared<FetchOptions>();
  options->address.AddTo(*app);
  app->add_option("-o,--output", options->job.directory, "Directory, new or empty, that it goes to")
      ->type_name("DIRECTORY")
      ->required();
  app->add_flag("--decompress", options->job.decompress,
                "Leave files that pg_restore and psql read as they are");
  app->add_option("-j,--jobs", options->job.jobs, "Objects at a time, 1 to 64")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  options->storage.AddTo(*app);
  options->encryption.AddReadingTo(*app);
  options->manifest_key.AddReadingTo(*app);
  options->output.AddTo(*app);
  app->footer(
      "\nWithout --decompress the files are the objects as they are stored; docs/storage-format.md "
      "says\n"
      "which commands read them. With it:\n"
      "  pg_restore -d shop DIRECTORY/database.dump        format custom\n"
      "  psql -d shop -f DIRECTORY/database.sql            format plain\n"
      "  psql -d postgres -f DIRECTORY/globals.sql         roles and tablespaces");
  return {app, [options, app] { return RunFetchCommand(*options, *app); }};
}

}  // namespace pgbackup
