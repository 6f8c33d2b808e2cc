// What the server does for a run that moves no bytes: building indexes, checking constraints.
#pragma once

#include <string>

#include "core/postgres/postgres_connection.h"
#include "core/progress/progress.h"

namespace pgbackup {

class ServerWork {
 public:
  // Looks at the sessions of the run (run_sessions.h) and adds to `progress` what it sees: a step
  // when since the last look a session has begun a statement, or an index build, a COPY or an
  // ANALYZE has come further by the server's own count; a sight of work when a session uses the
  // processor or the disk. One that sleeps, or waits for a lock, a client or another process, does
  // neither.
  void Look(PostgresConnection& connection, Progress& progress);

 private:
  std::string last_;
};

}  // namespace pgbackup
