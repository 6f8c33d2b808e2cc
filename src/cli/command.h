// One command of the command line.
#pragma once

#include <CLI/App.hpp>
#include <functional>

namespace pgbackup {

struct Command {
  CLI::App* app = nullptr;   // its options, and whether it was given
  std::function<int()> run;  // returns the process's exit status
};

// Each adds its command to `root`.
Command AddListCommand(CLI::App& root);
Command AddShowCommand(CLI::App& root);
Command AddFetchCommand(CLI::App& root);
Command AddRestoreCommand(CLI::App& root);
Command AddBackupCommand(CLI::App& root);
Command AddVerifyCommand(CLI::App& root);
Command AddCheckCommand(CLI::App& root);
Command AddKeygenCommand(CLI::App& root);
Command AddHashPasskeyCommand(CLI::App& root);
Command AddAgentCommand(CLI::App& root);

}  // namespace pgbackup
