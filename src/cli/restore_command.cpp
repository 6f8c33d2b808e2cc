// pgbackup restore: a backup becomes a new database of a server.
#include <fmt/format.h>
#include <CLI/CLI.hpp>  // IsMember and its like: from CLI11 2.6 on in a header of their own

#include "cli/backup_address.h"
#include "cli/command.h"
#include "cli/encryption_options.h"
#include "cli/manifest_key_options.h"
#include "cli/restore_all.h"
#include "cli/restore_words.h"
#include "cli/rights_warning.h"
#include "cli/run_id.h"
#include "cli/server_options.h"
#include "cli/storage_options.h"
#include "core/restore/restore_run.h"

namespace pgbackup {
namespace {

struct RestoreCommandOptions {
  StorageOptions storage;
  EncryptionOptions encryption;
  ManifestKeyOptions manifest_key;
  BackupAddress address;
  ServerOptions server;
  OutputOptions output;
  RestoreJob job;
  std::string content = "all";
  std::string on_error = "stop";
  bool all = false;
  bool no_statistics = false;
};

void CheckArguments(const RestoreCommandOptions& options) {
  const RestoreJob& job = options.job;
  if (options.address.name.empty() || job.target_database.empty())
    throw UsageError(ErrorKind::kInvalid, "a backup and --target-database are required", "",
                     "Or bring every database back with --all.");
  if (!job.options.schemas.empty() && !job.options.tables.empty())
    throw UsageError(ErrorKind::kInvalid, "--schema and --table exclude each other", "",
                     "Tables are named with their schema.");
  if (job.target_database == "template0" || job.target_database == "template1" ||
      job.target_database == job.server.maintenance_database)
    throw UsageError(
        ErrorKind::kInvalid,
        fmt::format("cannot restore into database \"{}\"", job.target_database),
        "The server needs it, or it is the one to connect to while the new one is made.",
        "Name a database that does not exist yet, or connect to another one with -d.");
}

int RunRestoreCommand(RestoreCommandOptions options, const CLI::App& command) {
  const auto environment = SystemEnvironment();
  RestoreJob& job = options.job;
  job.storage = options.storage.settings();
  job.encryption = options.encryption.settings();
  job.manifest_key = options.manifest_key.settings();
  job.server = options.server.Address(*environment);
  job.id = NewRunId(*environment);
  job.options.content = ParseDumpContent(options.content);
  job.options.on_error = ParseOnError(options.on_error);
  job.stall_timeout = kStallTimeout;
  job.options.statistics = !options.no_statistics;
  if (options.all) return RunRestoreAll(job, options.address.filter, options.output, command);
  CheckArguments(options);
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    job.backup_id = AimAtBackup(options.address, context, &job).manifest.id;
    if (!job.options.dry_run && !options.output.quiet) WarnOfSuperuserRights(job.server, context);
    return RunRestore(job, context);
  });
  return ReportOutcome(outcome, options.output, command,
                       [&] { return RestoreInWords(job, outcome); });
}

void AddPartOptions(CLI::App& app, RestoreCommandOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* description) {
    return app.add_option(name, value, description)->type_name(type)->group("What is restored");
  };
  add("-n,--schema", options.job.options.schemas, "SCHEMA", "Only this schema; may be repeated")
      ->expected(1)
      ->take_all();
  add("-t,--table", options.job.options.tables, "SCHEMA.TABLE",
      "Only this table, quoted as in SQL; may be repeated")
      ->expected(1)
      ->take_all();
  add("-N,--exclude-schema", options.job.options.exclude_schemas, "SCHEMA",
      "Not this schema nor what depends on it; may be repeated")
      ->expected(1)
      ->take_all();
  add("-T,--exclude-table", options.job.options.exclude_tables, "SCHEMA.TABLE",
      "Not this table nor what depends on it, quoted as in SQL; may be repeated")
      ->expected(1)
      ->take_all();
  add("--exclude-table-data", options.job.options.exclude_table_data, "SCHEMA.TABLE",
      "This table without its rows, quoted as in SQL; may be repeated")
      ->expected(1)
      ->take_all();
  add("--content", options.content, "WHAT",
      "all, schema, or data: tables with their rows and nothing built on them")
      ->check(CLI::IsMember({"all", "schema", "data"}));
}

}  // namespace

Command AddRestoreCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("restore", "Restore a backup into a new database");
  const auto options = std::make_shared<RestoreCommandOptions>();
  CLI::Option* backup = options->address.AddTo(*app)->required(false);
  CLI::Option* target = app->add_option("--target-database", options->job.target_database,
                                        "The database to make; one that holds something is refused")
                            ->type_name("NAME");
  AddPartOptions(*app, *options);
  app->add_flag("--all", options->all,
                "Every role and tablespace, and of every database of the cluster its newest whole\n"
                "backup, under its own name; one that fails does not keep the others from being\n"
                "restored")
      ->excludes(backup)
      ->excludes(target)
      ->excludes(app->get_option("--schema"))
      ->excludes(app->get_option("--table"))
      ->excludes(app->get_option("--exclude-schema"))
      ->excludes(app->get_option("--exclude-table"))
      ->excludes(app->get_option("--exclude-table-data"));
  app->add_option("-j,--jobs", options->job.options.jobs, "Parallel lanes, 1 to 64")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  app->add_option("--on-error", options->on_error,
                  "stop, or continue: keep what the server takes, tell what it refuses; exit\n"
                  "status 5 then")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"stop", "continue"}));
  app->add_flag("--create-roles", options->job.options.create_roles,
                "Make roles that are missing, from the backup's globals.sql");
  app->add_flag("--no-tablespaces", options->job.options.no_tablespaces,
                "Everything goes into the default tablespace");
  app->add_flag("--no-statistics", options->no_statistics,
                "Run no ANALYZE of what has been restored");
  app->add_flag("--dry-run", options->job.options.dry_run,
                "Check and read everything, say what would be done, change nothing");
  options->storage.AddTo(*app);
  options->encryption.AddReadingTo(*app);
  options->manifest_key.AddReadingTo(*app);
  options->server.AddTo(*app,
                        "Database to connect to while the new one is made (postgres), or a\n"
                        "connection string without a password; as PGDATABASE");
  options->output.AddTo(*app);
  app->footer(
      "\nA database beside the target is filled and takes its name when everything is in: a "
      "restore that\n"
      "fails or is interrupted leaves nothing but roles, if it was to create those. The roles that "
      "the\n"
      "backup needs have to exist, unless --create-roles makes them. --all makes all roles and "
      "tablespaces\n"
      "that are missing, before everything else: the tablespaces' directories have to exist. No "
      "password of\n"
      "a role is in a backup.\n"
      "\n"
      "A whole server:\n"
      "  pgbackup restore --all --storage s3://bucket/prefix --identity backup.key");
  return {app, [options, app] { return RunRestoreCommand(*options, *app); }};
}

}  // namespace pgbackup
