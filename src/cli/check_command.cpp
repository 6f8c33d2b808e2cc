// pgbackup check: tries a storage and, when one is named, a server.
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/server_options.h"
#include "cli/storage_options.h"
#include "cli/table.h"
#include "core/base/json.h"
#include "core/check/check_run.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {
namespace {

struct CheckOptions {
  StorageOptions storage;
  ServerOptions server;
  OutputOptions output;
};

// Prints the rows; returns whether one is an error.
bool PrintRows(const boost::json::array& rows, const OutputOptions& output,
               const CLI::App& command) {
  bool is_error = false;
  Table table;
  table.titles = {"ITEM", "STATUS", "DETAIL", "HINT"};
  for (const boost::json::value& row : rows) {
    const JsonReader reader(row.as_object(), "the answer");
    is_error |= reader.Text("status") == "error";
    table.rows.push_back({reader.Text("item"), reader.Text("status"), reader.Text("detail"),
                          InWordsOf(command, reader.TextOr("hint", ""))});
  }
  if (output.json)
    PrintJson(rows);
  else
    PrintText(TableText(table, IsOutputTerminal()));
  return is_error;
}

int RunCheckCommand(const CheckOptions& options, const CLI::App& command) {
  CheckJob job;
  job.storage = options.storage.settings();
  job.storage.patience = kCheckPatience;
  job.server = options.server.Address(*SystemEnvironment());
  const RunOutcome outcome = RunOnConsole(job, options.output, [&](const RunContext& context) {
    if (options.server.IsGiven()) {
      context.progress.SetPhase("connecting");
      const PostgresConnection connection(SettingsFor(job.server, job.server.maintenance_database),
                                          context.cancellation);
      job.server_major = connection.server_major();
    }
    return RunCheck(job, context);
  });
  if (outcome.state != RunState::kCompleted) return ReportOutcome(outcome, options.output, command);
  return PrintRows(outcome.fields.at("rows").as_array(), options.output, command) ? kExitFailed
                                                                                  : kExitDone;
}

}  // namespace

Command AddCheckCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand(
      "check", "Try a storage with small objects, and a server when one is named");
  const auto options = std::make_shared<CheckOptions>();
  options->storage.AddTo(*app);
  options->storage.AddWritingTo(*app);
  options->server.AddTo(*app, "A database of the server to try, or a connection string");
  options->output.AddTo(*app);
  app->footer(
      "\nOne line for each thing that was tried, with status ok, warning, error or skipped, and "
      "what to\n"
      "do. Exit status 1 when one is an error. What it writes below .pgbackup-check/ it removes.");
  return {app, [options, app] { return RunCheckCommand(*options, *app); }};
}

}  // namespace pgbackup
