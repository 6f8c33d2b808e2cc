// pgbackup verify: proves that a backup is good.
#include <fmt/format.h>
#include <CLI/CLI.hpp>  // IsMember and its like: from CLI11 2.6 on in a header of their own

#include "cli/backup_address.h"
#include "cli/command.h"
#include "cli/encryption_options.h"
#include "cli/manifest_key_options.h"
#include "cli/rights_warning.h"
#include "cli/run_id.h"
#include "cli/server_options.h"
#include "cli/storage_options.h"
#include "core/verify/verify_run.h"

namespace pgbackup {
namespace {

struct VerifyOptions {
  StorageOptions storage;
  EncryptionOptions encryption;
  ManifestKeyOptions manifest_key;
  BackupAddress address;
  ServerOptions server;
  OutputOptions output;
  std::string level = "checksum";
  int64_t jobs = 2;
};

int RunVerifyCommand(const VerifyOptions& options, const CLI::App& command) {
  VerifyJob job;
  const auto environment = SystemEnvironment();
  job.id = NewRunId(*environment);
  job.storage = options.storage.settings();
  job.encryption = options.encryption.settings();
  job.manifest_key = options.manifest_key.settings();
  job.server = options.server.Address(*environment);
  job.level = ParseVerifyLevel(options.level);
  job.jobs = options.jobs;
  job.stall_timeout = kStallTimeout;
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    job.database = AimAtBackup(options.address, context, &job).manifest.database;
    if (job.level == VerifyLevel::kRestore && !options.output.quiet)
      WarnOfSuperuserRights(job.server, context);
    return RunVerify(job, context);
  });
  return ReportOutcome(outcome, options.output, command,
                       [&] { return fmt::format("{} is good: {}", job.file_name, options.level); });
}

}  // namespace

Command AddVerifyCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("verify", "Prove that a backup is good");
  const auto options = std::make_shared<VerifyOptions>();
  options->address.AddTo(*app);
  app->add_option("--level", options->level, "How much is proved: checksum, archive or restore")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"checksum", "archive", "restore"}));
  app->add_option("-j,--jobs", options->jobs, "Objects at a time, 1 to 64")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  options->storage.AddTo(*app);
  options->encryption.AddReadingTo(*app);
  options->manifest_key.AddReadingTo(*app);
  options->server.AddTo(*app,
                        "For level restore: database to connect to (postgres), or a connection\n"
                        "string without a password; as PGDATABASE");
  options->output.AddTo(*app);
  app->footer(
      "\nchecksum: every object is read, compared with its SHA-256 and decompressed.\n"
      "archive: besides, pg_restore reads all of it, and its table of contents is as the manifest "
      "says.\n"
      "restore: it is restored into a database of a server, beside all others, whose rows are "
      "compared with\n"
      "the dump's fingerprints, and which is then dropped.\n"
      "The first object that is not good is named; the exit status is then 4.");
  return {app, [options, app] { return RunVerifyCommand(*options, *app); }};
}

}  // namespace pgbackup
