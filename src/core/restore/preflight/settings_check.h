// Which settings of a backed up database the server would refuse. Changes nothing there.
#pragma once

#include <string>
#include <vector>

#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

struct RefusedSetting {
  DatabaseSetting setting;
  std::string reason;
};

// Those of `settings` that the server behind `connection` refuses, or with which no session could
// begin: a library that it has not got. Not those that take a right this role lacks.
std::vector<RefusedSetting> FindRefusedSettings(PostgresConnection& connection,
                                                const std::vector<DatabaseSetting>& settings);

// `properties` without these settings.
void LeaveOut(const std::vector<RefusedSetting>& refused, DatabaseProperties* properties);

// What was left out, with the statements that set it for `database`; empty when nothing was.
std::string RefusedSettingsInWords(const std::vector<RefusedSetting>& refused,
                                   const std::string& database);

// Where the server looks for the library `name` of session_preload_libraries or, where `is_local`,
// of local_preload_libraries: one of these files must be there. None when it refuses the name.
// `path` is dynamic_library_path, `library_folder` what $libdir stands for. Pure.
std::vector<std::string> LibraryFiles(const std::string& name, bool is_local,
                                      const std::string& path, const std::string& library_folder);

}  // namespace pgbackup
