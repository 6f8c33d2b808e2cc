#include "core/postgres/server_address.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <cctype>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// What no ALTER DATABASE or ALTER ROLE … SET decides about our sessions: as whom they work, in
// which transactions, how long they live, and what they load. Blanks within a value are escaped.
// A confined session gives no rights to what the owners of a database have written
// (src/pg/confinement.h).
constexpr std::string_view kFixedOptions[] = {
    "-c pgbackup.confined=on",
    "-c local_preload_libraries=",
    "-c exit_on_error=off",
    "-c default_transaction_isolation=read\\ committed",
    "-c default_transaction_read_only=off",
    "-c default_transaction_deferrable=off",
    "-c statement_timeout=0",
    "-c lock_timeout=0",
    "-c idle_in_transaction_session_timeout=0",
};

constexpr const char* kProgramConnectTimeout =
    "60";  // seconds, of programs: they wait indefinitely otherwise

void Set(ConnectionSettings* settings, const std::string& keyword, const std::string& value) {
  for (auto& [known, old] : *settings)
    if (known == keyword) {
      old = value;
      return;
    }
  settings->emplace_back(keyword, value);
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

bool Has(const ConnectionSettings& settings, std::string_view keyword) {
  for (const auto& setting : settings)
    if (setting.first == keyword) return true;
  return false;
}

// Calls `each` for every setting that the connection string `conninfo` gives.
void ForEachSetting(const std::string& conninfo, const std::string& from,
                    const std::function<void(const std::string&, const std::string&)>& each) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(conninfo.c_str(), &message));
  if (!options) {
    // libpq's words may quote parts of the text, which may be a secret.
    PQfreemem(message);
    throw Error(ErrorKind::kInvalid, fmt::format("{} is not a connection string", from), "",
                "Write it as libpq's keyword='value' pairs or as a postgresql:// URI.");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword;
    if (keyword == "password" || keyword == "sslpassword")
      throw Error(ErrorKind::kInvalid, fmt::format("{} holds a {}", from, keyword),
                  "Others could read it there.",
                  "Put the password into a file and name it with passfile=.");
    each(keyword, option->val);
  }
}

// Settings that the environment gives and that what is set here would hide. An agent has none.
void AddFromEnvironment(ConnectionSettings* settings) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconndefaults());
  if (!options) return;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (keyword != "options" && keyword != "connect_timeout") continue;
    if (option->val != nullptr && *option->val != '\0' && !Has(*settings, keyword))
      settings->emplace_back(keyword, option->val);
  }
}

// Whether switches of the server set the role: "-c role=x", "-crole=x" or "--role=x".
bool SetsRole(const ConnectionSettings& settings) {
  std::string text;
  for (const auto& [keyword, value] : settings)
    if (keyword == "options")
      for (const char c : value)
        if (c != ' ') text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text.find("-crole=") != std::string::npos || text.find("--role=") != std::string::npos;
}

void AddFixedOptions(ConnectionSettings* settings) {
  // Whoever sets the role of a connection means it.
  if (!SetsRole(*settings)) AddServerOption(settings, "-c role=none");
  for (const std::string_view option : kFixedOptions)
    AddServerOption(settings, std::string(option));
}

}  // namespace

ConnectionSettings SettingsFor(const ServerAddress& address, const std::string& database) {
  ConnectionSettings settings;
  if (!address.host.empty()) Set(&settings, "host", address.host);
  if (!address.port.empty()) Set(&settings, "port", address.port);
  if (!address.user.empty()) Set(&settings, "user", address.user);
  if (!address.conninfo.empty())
    ForEachSetting(address.conninfo, address.conninfo_from,
                   [&](const std::string& keyword, const std::string& value) {
                     Set(&settings, keyword, value);
                   });
  Set(&settings, "dbname", database);
  Set(&settings, "application_name", "pgbackup");
  AddFromEnvironment(&settings);
  if (!Has(settings, "connect_timeout")) Set(&settings, "connect_timeout", kProgramConnectTimeout);
  AddFixedOptions(&settings);
  return settings;
}

void AddServerOption(ConnectionSettings* settings, const std::string& option) {
  for (auto& [keyword, value] : *settings)
    if (keyword == "options") {
      value += " " + option;
      return;
    }
  settings->emplace_back("options", option);
}

void AddTimeoutOptions(ConnectionSettings* settings, int server_version) {
  if (server_version >= 140000) AddServerOption(settings, "-c idle_session_timeout=0");
  if (server_version >= 170000) AddServerOption(settings, "-c transaction_timeout=0");
}

ConnectionSettings InDatabase(ConnectionSettings settings, const std::string& database) {
  Set(&settings, "dbname", database);
  return settings;
}

bool IsConnectionString(const std::string& text) noexcept {
  return text.find('=') != std::string::npos || text.rfind("postgresql://", 0) == 0 ||
         text.rfind("postgres://", 0) == 0;
}

std::string DatabaseOf(const std::string& text, const std::string& from) {
  if (!IsConnectionString(text)) return text;
  std::string database;
  ForEachSetting(text, from, [&](const std::string& keyword, const std::string& value) {
    if (keyword == "dbname") database = value;
  });
  return database;
}

std::vector<std::string> ConnectionVariables() {
  std::vector<std::string> names = {"PGSERVICEFILE", "PGSYSCONFDIR"};
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconndefaults());
  if (!options) return names;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->envvar == nullptr) continue;
    const std::string name = option->envvar;
    const bool is_connection = name != "PGDATABASE" && name != "PGAPPNAME" &&
                               name != "PGCLIENTENCODING" && name != "PGSERVICEFILE";
    if (is_connection) names.push_back(name);
  }
  return names;
}

std::string ConnectionString(const ConnectionSettings& settings) {
  std::string text;
  for (const auto& [keyword, value] : settings) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", keyword, QuoteConninfoValue(value));
  }
  return text;
}

}  // namespace pgbackup
