// Who waits for a lock because of a run.
//
// The sessions of a run are those of one role in one database whose application_name is the run's
// own (`RunSettings`), so that a look needs to know neither their number nor their process ids.
// Only waits for relations count: they make others queue up behind them. What waits for a
// transaction to end (CREATE INDEX CONCURRENTLY) holds up nobody.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// `settings` with the application_name of backup `id`.
ConnectionSettings RunSettings(ConnectionSettings settings, int64_t id);

struct LockWaiter {
  int64_t pid = 0;
  std::chrono::milliseconds waited{0};
  std::string relation;     // quoted
  std::string role;         // empty when it has none
  std::string application;  // empty when it says none
  std::string statement;    // its kind, e.g. "ALTER TABLE"; empty when that cannot be seen
};

// The processes that wait for a lock on a relation which a session of the run holds. Cheap: it asks
// about sessions that wait, and never reads all locks of the server. `connection` has the settings
// of the run.
std::vector<int64_t> ListWaiters(PostgresConnection& connection);

// More about one of them; nullopt when it has stopped waiting.
std::optional<LockWaiter> DescribeWaiter(PostgresConnection& connection, int64_t pid);

// Ends all sessions of the run but `connection`, and with them their locks, at once.
void EndSessionsOfRun(PostgresConnection& connection);

// The failure of a run that gives way. `why` is a sentence more for the detail, or empty.
Error GaveWay(const LockWaiter& waiter, const std::string& why);

}  // namespace pgbackup
