// pgbackup backup: dumps a database of a server that need not know pgbackup.
#include <fmt/format.h>
#include <CLI/CLI.hpp>  // IsMember and its like: from CLI11 2.6 on in a header of their own

#include "cli/backup_name.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/encryption_options.h"
#include "cli/manifest_key_options.h"
#include "cli/progress_display.h"
#include "cli/run_id.h"
#include "cli/server_options.h"
#include "cli/storage_options.h"
#include "core/base/timestamp.h"
#include "core/base/utf8.h"
#include "core/dump/backup_run.h"
#include "core/ownership/claim.h"
#include "core/postgres/postgres_connection.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

struct BackupCommandOptions {
  StorageOptions storage;
  EncryptionOptions encryption;
  ManifestKeyOptions manifest_key;
  ServerOptions server;
  OutputOptions output;
  BackupJob job;
  std::string label, content = "all", format = "auto";
  std::string name_template = std::string(kDefaultNameTemplate);
  bool no_globals = false;
};

void CheckLabel(const std::string& label) {
  const bool has_control =
      std::any_of(label.begin(), label.end(), [](char c) { return IsControl(c); });
  if (label.size() <= 200 && !has_control && ToValidUtf8(label) == label) return;
  throw UsageError(ErrorKind::kInvalid, "invalid label",
                   "A label is UTF-8 of at most 200 bytes and no control characters.",
                   "Use a few words.");
}

void FillJob(BackupCommandOptions* options, const Environment& environment) {
  BackupJob& job = options->job;
  job.storage = options->storage.settings();
  job.encryption = options->encryption.settings();
  job.manifest_key = options->manifest_key.settings();
  job.server = options->server.Address(environment);
  job.database = options->server.Database(environment);
  if (job.database.empty())
    throw UsageError(ErrorKind::kInvalid, "no database is named", "",
                     "Name it with -d, or set PGDATABASE.");
  if (!job.options.selection.schemas.empty() && !job.options.selection.tables.empty())
    throw UsageError(ErrorKind::kInvalid, "--schema and --table exclude each other", "",
                     "Tables are named with their schema.");
  CheckLabel(options->label);
  if (!options->label.empty()) job.label = options->label;
  job.options.content = ParseDumpContent(options->content);
  job.options.format = ParseDumpFormat(options->format);
  job.options.include_globals = !options->no_globals;
  ParseCompression(job.options.compression_text, &job.options.compression);
  job.backup_type = "manual";
  job.stall_timeout = kStallTimeout;
  job.created_at = FormatTimestamp(environment.Now());
}

// What the server knows of itself.
void AskServer(BackupJob* job, const Cancellation& cancellation) {
  PostgresConnection connection(SettingsFor(job->server, job->database), cancellation);
  const QueryResult answer = connection.Query(
      "SELECT session_user, current_setting('cluster_name'), "
      "(SELECT system_identifier FROM pg_control_system())");
  job->created_by = answer.Text(0, 0);
  if (job->cluster.name.empty()) job->cluster.name = ClusterNameFor(answer.Text(0, 1));
  job->cluster.system_identifier = answer.Text(0, 2);
}

std::string BackupInWords(const BackupJob& job, const RunOutcome& outcome) {
  return fmt::format("{}: {} read, {} stored", job.file_name,
                     SizeInWords(outcome.fields.at("raw_size").to_number<uint64_t>()),
                     SizeInWords(outcome.fields.at("file_size").to_number<uint64_t>()));
}

int RunBackupCommand(BackupCommandOptions options, const CLI::App& command) {
  const auto environment = SystemEnvironment();
  BackupJob& job = options.job;
  FillJob(&options, *environment);
  job.id = NewRunId(*environment);
  job.run_key = NewRunKey(*environment);
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    context.progress.SetPhase("connecting");
    AskServer(&job, context.cancellation);
    job.name_is_unique = NamesAreUnique(options.name_template);
    job.file_name = BackupName(options.name_template, job, context.environment.Now());
    return RunBackup(job, context);
  });
  return ReportOutcome(outcome, options.output, command,
                       [&] { return BackupInWords(job, outcome); });
}

CLI::Validator CompressionCheck() {
  return CLI::Validator(
      [](std::string& text) {
        Compression ignored;
        return ParseCompression(text, &ignored) ? std::string() : std::string(kCompressionHint);
      },
      "");
}

CLI::Validator NameTemplateCheck() {
  return CLI::Validator(
      [](std::string& text) {
        const char* why = "";
        return CheckNameTemplate(text, &why) ? std::string() : std::string(why);
      },
      "");
}

void AddSelection(CLI::App& app, BackupCommandOptions& options) {
  SelectionNames& selection = options.job.options.selection;
  const auto add = [&](const char* name, std::vector<std::string>& value, const char* type,
                       const char* description) {
    app.add_option(name, value, description)
        ->type_name(type)
        ->expected(1)
        ->take_all()
        ->group("What is backed up");
  };
  add("-n,--schema", selection.schemas, "SCHEMA", "Only this schema; may be repeated");
  add("-t,--table", selection.tables, "SCHEMA.TABLE",
      "Only this table, quoted as in SQL; may be repeated");
  add("-T,--exclude-table", selection.exclude_tables, "SCHEMA.TABLE",
      "Not this table; may be repeated");
  add("--exclude-table-data", selection.exclude_table_data, "SCHEMA.TABLE",
      "Not the rows of this table; may be repeated");
  app.add_option("--content", options.content, "all, schema or data")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"all", "schema", "data"}))
      ->group("What is backed up");
  app.add_flag("--no-globals", options.no_globals, "Leave out roles and tablespaces")
      ->group("What is backed up");
}

void AddForm(CLI::App& app, BackupCommandOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* description) {
    return app.add_option(name, value, description)->type_name(type)->group("How it is stored");
  };
  add("--format", options.format, "FORMAT", "auto, parallel, custom or plain")
      ->check(CLI::IsMember({"auto", "parallel", "custom", "plain"}));
  add("--compression", options.job.options.compression_text, "CODEC",
      "zstd:1 to zstd:19, gzip:1 to gzip:9, lz4:1 to lz4:12 or none")
      ->check(CompressionCheck());
  add("-j,--jobs", options.job.options.jobs, "N", "Parallel lanes, 1 to 64")
      ->check(CLI::Range(1, 64));
  add("--label", options.label, "TEXT", "A few words that stay with the backup");
  add("--cluster", options.job.cluster.name, "NAME",
      "Name of the cluster in the storage; else its cluster_name, or main");
  add("--environment", options.job.cluster.environment, "NAME", "As pgbackup.environment");
  add("--name-template", options.name_template, "TEMPLATE", "As pgbackup.name_template")
      ->check(NameTemplateCheck());
}

}  // namespace

Command AddBackupCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("backup", "Back up a database of any server");
  const auto options = std::make_shared<BackupCommandOptions>();
  AddSelection(*app, *options);
  AddForm(*app, *options);
  options->storage.AddTo(*app);
  options->storage.AddWritingTo(*app);
  options->encryption.AddWritingTo(*app);
  options->manifest_key.AddWritingTo(*app);
  options->server.AddTo(*app,
                        "The database, or a connection string without a password; as PGDATABASE");
  options->output.AddTo(*app);
  app->footer(
      "\nThe server needs no extension. What an interrupted backup has stored is removed. A server "
      "with\n"
      "pgbackup finds the backup with SELECT pgbackup.import('s3://bucket/prefix').");
  return {app, [options, app] { return RunBackupCommand(*options, *app); }};
}

}  // namespace pgbackup
