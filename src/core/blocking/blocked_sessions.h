// Sessions of a run that wait for others: for a lock of any kind, or for a safe snapshot.
//
// A session that waits only for other sessions of the run does not count: the one that those wait
// for does, if there is one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/blocking/lock_waiters.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

struct BlockedSession {
  std::string what;  // it waits for, in words
  std::chrono::milliseconds waited{0};
  int64_t blocker = 0;      // process; 0: a prepared transaction
  std::string role;         // of the blocker, as the rest; empty when it has none
  std::string application;  // empty when it says none
  std::string statement;    // the kind of its last one; empty when that cannot be seen
  bool is_idle = false;     // in a transaction
};

// The processes of such sessions. `connection` has the settings of the run.
std::vector<int64_t> ListBlocked(PostgresConnection& connection);

// More about one of them; nullopt when it has stopped waiting.
std::optional<BlockedSession> DescribeBlocked(PostgresConnection& connection, int64_t pid,
                                              const RelationNames& names);

// The failure of the run (kBusy).
Error HeldUp(const BlockedSession& session);

// Who keeps all new sessions out of a database, by an ALTER DATABASE … RENAME that is not
// committed; nullopt when it is open. Such sessions are not seen before they are in.
std::optional<BlockedSession> DescribeClosed(PostgresConnection& connection,
                                             const std::string& database);

}  // namespace pgbackup
