#include "cli/command_line.h"

int main(int argc, char** argv) {
  return pgbackup::CommandLine().Run(argc, argv);
}
