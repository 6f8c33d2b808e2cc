// Ends the sessions in databases that another session is renaming.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

int64_t BackendPid(PostgresConnection& connection);

// In a thread of its own: waits until session `renaming_pid` holds the lock on the first of
// `databases` (OIDs) that new sessions wait at, then ends the sessions in any of them, again and
// again until told to finish. Needs a role that may end them: a superuser.
class SessionEnd {
 public:
  // Leaves the sessions `spared` (process ids) alone. `when_alone` (may be empty) is called once,
  // from the thread, when no other is left; it is to end the spared ones, also when it throws.
  SessionEnd(PostgresConnection connection, int64_t renaming_pid, std::vector<int64_t> databases,
             std::set<int64_t> spared, std::function<void()> when_alone);
  ~SessionEnd();
  SessionEnd(const SessionEnd&) = delete;
  SessionEnd& operator=(const SessionEnd&) = delete;

  // For when the databases have been renamed: stops, and throws what went wrong meanwhile, also
  // when `when_alone` was never called because somebody else has ended the spared sessions.
  void Finish();

 private:
  void Run() noexcept;
  bool IsLocked();
  bool EndOthers();
  void Stop() noexcept;

  PostgresConnection connection_;
  const int64_t renaming_pid_;
  const std::vector<int64_t> databases_;
  const std::set<int64_t> spared_;
  std::function<void()> when_alone_;
  std::atomic<bool> stop_{false};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace pgbackup
