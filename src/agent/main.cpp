#include <CLI/CLI.hpp>

#include "agent/agent.h"

int main(int argc, char** argv) {
  CLI::App app("Backups of PostgreSQL databases in object storage", "pgbackup");
  app.set_version_flag("--version", "pgbackup " PGBACKUP_VERSION);
  app.require_subcommand(1);
  const CLI::App* agent =
      app.add_subcommand("agent", "Do the job that stands, as one line of JSON, on standard input");
  CLI11_PARSE(app, argc, argv);
  return *agent ? pgbackup::RunAgent() : 0;
}
