#include "core/postgres/server_address.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

#include "core/base/error.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

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

void MergeConninfo(const std::string& conninfo, ConnectionSettings* settings) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(conninfo.c_str(), &message));
  if (!options) {
    // libpq's words may quote parts of the text, which may be a secret.
    PQfreemem(message);
    throw Error(ErrorKind::kInvalid, "pgbackup.dump_conninfo is not a connection string", "",
                "Write it as libpq's keyword='value' pairs or as a postgresql:// URI.");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword;
    if (keyword == "password" || keyword == "sslpassword")
      throw Error(ErrorKind::kInvalid, fmt::format("pgbackup.dump_conninfo holds a {}", keyword),
                  "Settings can be read by monitoring roles.",
                  "Put the password into a file and name it with passfile=.");
    Set(settings, keyword, option->val);
  }
}

}  // namespace

ConnectionSettings SettingsFor(const ServerAddress& address, const std::string& database) {
  ConnectionSettings settings;
  if (!address.host.empty()) Set(&settings, "host", address.host);
  if (!address.port.empty()) Set(&settings, "port", address.port);
  if (!address.user.empty()) Set(&settings, "user", address.user);
  if (!address.conninfo.empty()) MergeConninfo(address.conninfo, &settings);
  Set(&settings, "dbname", database);
  Set(&settings, "application_name", "pgbackup");
  return settings;
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
