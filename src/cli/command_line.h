// The program's command line: all commands and what they have in common.
#pragma once

#include <vector>

#include "cli/command.h"

namespace pgbackup {

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Does what the arguments say; returns the process's exit status (exit_status.h).
  int Run(int argc, char** argv);

  const CLI::App& app() const noexcept { return app_; }

 private:
  CLI::App app_;
  std::vector<Command> commands_;
};

}  // namespace pgbackup
