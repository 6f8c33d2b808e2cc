#include "core/postgres/content_settings.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/base/error.h"

namespace pgbackup {

bool MayBeOfContent(const std::string& setting) {
  static constexpr std::string_view kOfTheSession[] = {"application_name",
                                                       "client_encoding",
                                                       "client_min_messages",
                                                       "role",
                                                       "row_security",
                                                       "search_path",
                                                       "synchronous_commit",
                                                       "session_authorization",
                                                       "restrict_nonsystem_relation_kind"};
  const std::string_view name = setting;
  const auto starts = [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  };
  return std::find(std::begin(kOfTheSession), std::end(kOfTheSession), name) ==
             std::end(kOfTheSession) &&
         !name.ends_with("_timeout") && !starts("transaction_") &&
         !starts("default_transaction_") && !starts("pgbackup.");
}

void ApplyContentSettings(PostgresConnection& connection,
                          const std::vector<DatabaseSetting>& settings) {
  for (const DatabaseSetting& setting : settings) {
    if (!setting.role.empty() || !MayBeOfContent(setting.name)) continue;
    try {
      connection.Query(
          "SELECT pg_catalog.set_config($1, $2, false) WHERE pg_catalog.strpos($1, '.') "
          "OPERATOR(pg_catalog.>) 0 OR EXISTS (SELECT FROM pg_catalog.pg_settings "
          "WHERE name OPERATOR(pg_catalog.=) $1 AND context OPERATOR(pg_catalog.=) 'user' "
          "AND source NOT IN ('client', 'session'))",
          {setting.name, setting.value});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kDatabase && error.kind() != ErrorKind::kDenied) throw;
    }
  }
}

}  // namespace pgbackup
