#include "core/postgres/server_address.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <functional>
#include <memory>

#include "core/base/error.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// Of every session. A confined one gives no rights to what the owners of a database have written
// (src/pg/confinement.h).
constexpr const char* kSessionOptions[] = {"-c pgbackup.confined=on"};

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
  for (const char* option : kSessionOptions) AddServerOption(&settings, option);
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
