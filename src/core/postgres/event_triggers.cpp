#include "core/postgres/event_triggers.h"

#include <fmt/format.h>

#include "core/postgres/session_rights.h"

namespace pgbackup {
namespace {

// Name and how it is enabled: for which session_replication_role.
constexpr const char* kEnabledSql =
    "SELECT format('ALTER EVENT TRIGGER %I', evtname), "
    "CASE evtenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' "
    "END "
    "FROM pg_event_trigger WHERE evtenabled <> 'D' AND current_setting('is_superuser') = 'on'";

}  // namespace

std::vector<std::string> DisableEventTriggers(PostgresConnection& connection) {
  const QueryResult enabled = connection.Query(kEnabledSql);
  std::vector<std::string> enable;
  for (int row = 0; row < enabled.rows(); ++row) {
    connection.Execute(enabled.Text(row, 0) + " DISABLE");
    enable.push_back(fmt::format("{} {}", enabled.Text(row, 0), enabled.Text(row, 1)));
  }
  return enable;
}

void WithoutEventTriggers(PostgresConnection& connection, const std::function<void()>& work) {
  connection.Execute("BEGIN READ WRITE");
  const std::vector<std::string> enable = DisableEventTriggers(connection);
  work();
  for (const std::string& sql : enable) connection.Execute(sql);
  connection.Execute("COMMIT");
}

ConnectionSettings WithoutLoginTriggers(ConnectionSettings settings,
                                        PostgresConnection& connection) {
  if (connection.server_major() >= 17 && ReadSessionRights(connection).is_superuser)
    AddServerOption(&settings, "-c event_triggers=off");
  return settings;
}

}  // namespace pgbackup
