#include "cli/command_line.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "agent/agent.h"
#include "cli/console.h"
#include "cli/exit_status.h"

namespace pgbackup {
namespace {

constexpr const char* kFooter = R"(
A backup is named by its id, by the name of its folder or the last part of that, or by "latest" with
--database, and --cluster where several clusters share the storage.

The server is found as by psql: -h, -p, -U, -d, the PG* environment variables, ~/.pgpass. Keys for S3 come
from --s3-credentials-file, or from where the AWS tools look for them. No password or key is ever an
argument.

Exit status: 0 done, 1 failed, 2 wrong arguments, 3 not found, 4 damaged, 130 interrupted.

The day the server is gone:
  pgbackup list --storage s3://bucket/prefix
  pgbackup restore --all --storage s3://bucket/prefix --identity backup.key

"pgbackup COMMAND --help" says more, and so does the manual page pgbackup(1).)";

// CLI11 breaks lines itself since version 2.5, also those that are broken where they should be, and
// puts long options into a column of their own.
template <typename Formatter>
void KeepLines(Formatter& formatter) {
  constexpr size_t kColumn = 34;
  formatter.column_width(kColumn);
  if constexpr (requires { formatter.enable_footer_formatting(false); }) {
    formatter.enable_description_formatting(false);
    formatter.enable_footer_formatting(false);
    formatter.right_column_width(1000);
    formatter.long_option_alignment_ratio(6.5F / kColumn);
  }
}

}  // namespace

Command AddAgentCommand(CLI::App& root) {
  return {root.add_subcommand(
              "agent",
              "Do the job that stands, as one line of JSON, on standard input: what the "
              "server starts"),
          RunAgent};
}

CommandLine::CommandLine()
    : app_("Backups of PostgreSQL databases in object storage or a directory", "pgbackup") {
  app_.set_version_flag("--version", "pgbackup " PGBACKUP_VERSION);
  app_.set_help_flag("--help", "Print this help and exit");
  app_.require_subcommand(1);
  app_.footer(kFooter);
  KeepLines(*app_.get_formatter());
  commands_ = {AddListCommand(app_),    AddShowCommand(app_),   AddFetchCommand(app_),
               AddRestoreCommand(app_), AddBackupCommand(app_), AddVerifyCommand(app_),
               AddCheckCommand(app_),   AddKeygenCommand(app_), AddHashPasskeyCommand(app_),
               AddAgentCommand(app_)};
}

int CommandLine::Run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and the version are no errors.
    if (error.get_exit_code() == 0) return app_.exit(error);
    const std::vector<CLI::App*> given = app_.get_subcommands();
    PrintRemark(std::string("error: ") + error.what());
    PrintRemark("hint: Try \"pgbackup " + (given.empty() ? "" : given.front()->get_name() + " ") +
                "--help\".");
    return kExitUsage;
  }
  for (const Command& command : commands_) {
    if (!*command.app) continue;
    try {
      return command.run();
    } catch (const Error& error) {
      ReportError(error, *command.app);
    }
  }
  return kExitUsage;
}

}  // namespace pgbackup
