// Tablespaces as a backup's globals.sql makes them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

struct TablespaceScript {
  std::string name;
  std::string location_sql;  // the folder, as a literal
  std::string create;
  std::vector<std::string> statements;  // to be run behind `create`: options, comment, privileges
};

// In the order of the script.
std::vector<TablespaceScript> TablespacesIn(std::string_view globals);

}  // namespace pgbackup
