// Who waits for a lock because of a run.
//
// Only waits for relations count: they make others queue up behind them. What waits for a
// transaction to end (CREATE INDEX CONCURRENTLY) holds up nobody.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// A relation of a database by its OID, in words; see RelationInWords.
using RelationNames = std::function<std::string(const std::string& database, int64_t oid)>;

struct LockWaiter {
  int64_t pid = 0;
  std::chrono::milliseconds waited{0};
  std::string relation;     // in words
  std::string role;         // empty when it has none
  std::string application;  // empty when it says none
  std::string statement;    // its kind, e.g. "ALTER TABLE"; empty when that cannot be seen
};

// The processes that wait for a lock on a relation which a session of the run holds. Cheap: it asks
// about sessions that wait, and never reads all locks of the server. `connection` has the settings
// of the run.
std::vector<int64_t> ListWaiters(PostgresConnection& connection);

// More about one of them; nullopt when it has stopped waiting.
std::optional<LockWaiter> DescribeWaiter(PostgresConnection& connection, int64_t pid,
                                         const RelationNames& names);

// The failure of a run that gives way. `why` is a sentence more for the detail, or empty.
Error GaveWay(const LockWaiter& waiter, const std::string& why);

}  // namespace pgbackup
