#include "core/restore/preflight/settings_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

constexpr std::string_view kLibraryFolder = "$libdir";
constexpr std::string_view kLocalFolder = "$libdir/plugins/";
constexpr const char* kSuffix = ".so";

// `file` with the folder that $libdir stands for; the server takes that at the beginning only.
std::string WithFolder(const std::string& file, const std::string& library_folder) {
  if (!file.starts_with(kLibraryFolder)) return file;
  return library_folder + file.substr(kLibraryFolder.size());
}

class SettingsCheck {
 public:
  explicit SettingsCheck(PostgresConnection& connection) : connection_(connection) {}

  std::vector<RefusedSetting> Run(const std::vector<DatabaseSetting>& settings);

 private:
  std::string WhyRefused(const DatabaseSetting& setting);
  std::string WhyNotLoaded(const DatabaseSetting& setting, bool is_local);
  bool IsThere(const std::vector<std::string>& files);

  PostgresConnection& connection_;
  std::string library_path_;  // what the database itself sets
};

// What decides about the session at once, and what ALTER DATABASE does not compare with what there
// is: any value is taken.
bool TakesAnyValue(const std::string& setting) {
  static constexpr std::string_view kNames[] = {"default_table_access_method",
                                                "default_tablespace",
                                                "default_text_search_config",
                                                "local_preload_libraries",
                                                "role",
                                                "session_authorization",
                                                "session_preload_libraries",
                                                "temp_tablespaces"};
  return std::find(std::begin(kNames), std::end(kNames), setting) != std::end(kNames) ||
         setting.ends_with("_timeout") || setting.starts_with("transaction_");
}

// The server checks a value as ALTER DATABASE does when it is set, which one statement does and
// undoes.
constexpr const char* kTrySql =
    "WITH now AS MATERIALIZED (SELECT pg_catalog.current_setting($1, true) AS value) "
    "SELECT pg_catalog.set_config($1, $2, true), pg_catalog.set_config($1, now.value, true) "
    "FROM now";

std::string SettingsCheck::WhyRefused(const DatabaseSetting& setting) {
  connection_.Execute("SAVEPOINT setting");
  std::string reason;
  bool is_denied = false;
  try {
    if (!TakesAnyValue(setting.name)) connection_.Query(kTrySql, {setting.name, setting.value});
  } catch (const Error& error) {
    is_denied = error.kind() == ErrorKind::kDenied;
    if (error.kind() != ErrorKind::kDatabase && !is_denied) throw;
    if (!is_denied) reason = error.message();
  }
  connection_.Execute("ROLLBACK TO SAVEPOINT setting");
  if (!reason.empty() || is_denied) return reason;
  const bool is_local = setting.name == "local_preload_libraries";
  if (!is_local && setting.name != "session_preload_libraries") return "";
  return WhyNotLoaded(setting, is_local);
}

// The server takes any library, and then no session can begin.
std::string SettingsCheck::WhyNotLoaded(const DatabaseSetting& setting, bool is_local) {
  connection_.Execute("SAVEPOINT library");
  std::string reason;
  try {
    const QueryResult server = connection_.Query(
        "SELECT setting, current_setting('dynamic_library_path') FROM pg_config "
        "WHERE name = 'PKGLIBDIR'");
    const std::string path = library_path_.empty() ? server.Text(0, 1) : library_path_;
    for (const std::string& library : SplitIdentifierList(setting.value))
      if (reason.empty() && !IsThere(LibraryFiles(library, is_local, path, server.Text(0, 0))))
        reason = fmt::format("the server has no library \"{}\"", library);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDatabase && error.kind() != ErrorKind::kDenied) throw;
    reason = fmt::format("whether the server has the libraries is unknown: {}", error.message());
  }
  connection_.Execute("ROLLBACK TO SAVEPOINT library");
  return reason;
}

bool SettingsCheck::IsThere(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
    return connection_.Query("SELECT FROM pg_stat_file($1, true) f WHERE NOT f.isdir", {file})
               .rows() > 0;
  });
}

std::vector<RefusedSetting> SettingsCheck::Run(const std::vector<DatabaseSetting>& settings) {
  for (const DatabaseSetting& setting : settings)
    if (setting.role.empty() && setting.name == "dynamic_library_path")
      library_path_ = setting.value;
  std::vector<RefusedSetting> refused;
  connection_.Execute("BEGIN");
  for (const DatabaseSetting& setting : settings)
    if (std::string reason = WhyRefused(setting); !reason.empty())
      refused.push_back({setting, std::move(reason)});
  connection_.Execute("ROLLBACK");
  return refused;
}

bool IsSame(const DatabaseSetting& one, const DatabaseSetting& other) {
  return one.role == other.role && one.name == other.name;
}

}  // namespace

std::vector<std::string> LibraryFiles(const std::string& name, bool is_local,
                                      const std::string& path, const std::string& library_folder) {
  std::string file = name;
  if (is_local && name.find('/') == std::string::npos) file = std::string(kLocalFolder) + name;
  if (is_local &&
      (!file.starts_with(kLocalFolder) || file.find('/', kLocalFolder.size()) != std::string::npos))
    return {};
  if (file.find('/') != std::string::npos) {
    file = WithFolder(file, library_folder);
    return {file, file + kSuffix};
  }
  std::vector<std::string> files;
  for (const std::string& candidate : {file, file + kSuffix})
    for (size_t begin = 0; begin <= path.size();) {
      const size_t end = std::min(path.find(':', begin), path.size());
      files.push_back(fmt::format(
          "{}/{}", WithFolder(path.substr(begin, end - begin), library_folder), candidate));
      begin = end + 1;
    }
  return files;
}

std::vector<RefusedSetting> FindRefusedSettings(PostgresConnection& connection,
                                                const std::vector<DatabaseSetting>& settings) {
  if (settings.empty()) return {};
  return SettingsCheck(connection).Run(settings);
}

void LeaveOut(const std::vector<RefusedSetting>& refused, DatabaseProperties* properties) {
  for (const RefusedSetting& left_out : refused)
    std::erase_if(properties->settings, [&](const DatabaseSetting& setting) {
      return IsSame(setting, left_out.setting);
    });
}

std::string RefusedSettingsInWords(const std::vector<RefusedSetting>& refused,
                                   const std::string& database) {
  if (refused.empty()) return "";
  std::vector<std::string> statements;
  for (const RefusedSetting& left_out : refused)
    statements.push_back(
        fmt::format("{} ({})", AlterSettingSql(left_out.setting, database), left_out.reason));
  return fmt::format(
      "{} left out, because the server refuses {}: {}",
      refused.size() == 1 ? "a setting of the database is" : "settings of the database are",
      refused.size() == 1 ? "it" : "them", fmt::join(statements, ", "));
}

}  // namespace pgbackup
