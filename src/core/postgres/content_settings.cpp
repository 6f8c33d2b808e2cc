#include "core/postgres/content_settings.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/base/error.h"

namespace pgbackup {

bool MayBeOfContent(const std::string& setting) {
  static constexpr std::string_view kOfTheSession[] = {
      "allow_system_table_mods",
      "application_name",
      "array_nulls",
      "check_function_bodies",
      "client_encoding",
      "client_min_messages",
      "default_tablespace",
      "event_triggers",
      "exit_on_error",
      "hash_mem_multiplier",
      "ignore_checksum_failure",
      "ignore_system_indexes",
      "lc_messages",
      "lo_compat_privileges",
      "local_preload_libraries",
      "maintenance_work_mem",
      "max_parallel_maintenance_workers",
      "max_parallel_workers",
      "max_parallel_workers_per_gather",
      "post_auth_delay",
      "restrict_nonsystem_relation_kind",
      "role",
      "row_security",
      "search_path",
      "session_authorization",
      "session_preload_libraries",
      "session_replication_role",
      "standard_conforming_strings",
      "synchronous_commit",
      "temp_buffers",
      "temp_file_limit",
      "temp_tablespaces",
      "vacuum_cost_delay",
      "vacuum_cost_limit",
      "work_mem",
      "xmloption",
      "zero_damaged_pages",
  };
  const std::string_view name = setting;
  const auto starts = [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  };
  return std::find(std::begin(kOfTheSession), std::end(kOfTheSession), name) ==
             std::end(kOfTheSession) &&
         !name.ends_with("_timeout") && !starts("transaction_") &&
         !starts("default_transaction_") && !starts("log_") && !starts("pgbackup.");
}

std::vector<DatabaseSetting> ContentSettings(const std::vector<DatabaseSetting>& settings) {
  std::vector<DatabaseSetting> found;
  for (const DatabaseSetting& setting : settings)
    if (setting.role.empty() && MayBeOfContent(setting.name)) found.push_back(setting);
  return found;
}

std::vector<DatabaseSetting> SettingsToRestoreWith(const std::vector<DatabaseSetting>& settings) {
  std::vector<DatabaseSetting> found = ContentSettings(settings);
  std::erase_if(found, [](const DatabaseSetting& setting) {
    return setting.name == "quote_all_identifiers" || setting.name == "transform_null_equals";
  });
  return found;
}

void ApplyContentSettings(PostgresConnection& connection,
                          const std::vector<DatabaseSetting>& settings) {
  for (const DatabaseSetting& setting : ContentSettings(settings)) {
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
