// Sees to it that a backup makes nobody wait for long.
//
// A dump holds a lock on every table until it ends. It keeps no reader and no writer out, but a
// statement that needs a table for itself (ALTER TABLE, TRUNCATE, …) waits for it, and everybody
// who comes later waits behind that statement. The guard looks once a second, with a connection of
// its own, and ends the run when somebody has waited for too long.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

class LockGuard {
 public:
  struct Limits {
    std::chrono::milliseconds patience{60000};   // 0: nobody is given way to
    std::chrono::milliseconds reconnect{10000};  // after a failure of the guard's own connection
  };

  // `settings` are the run's (RunSettings). Calls `give_way` (from its own thread, at most once)
  // with the error the run is to fail with, then ends the run's sessions. A guard that cannot look
  // says so with `log` and goes on trying: it fails no run.
  LockGuard(const ConnectionSettings& settings, Limits limits, Environment& environment,
            std::function<void(const Error&)> give_way,
            std::function<void(const std::string&)> log);
  ~LockGuard();
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

  // What to say of `error`, with which a lane has failed because it could not lock its tables while
  // the coordinator holds its locks: a statement waits for the coordinator, and the lane waited
  // behind it. The same error when nobody is seen, or it is the guard's own.
  Error Explained(const Error& error) const;

 private:
  void Run() noexcept;
  void Connect();
  void Look();
  bool HasWaitedTooLong(int64_t pid);
  void GiveWay(const Error& error);

  const ConnectionSettings settings_;
  const Limits limits_;
  Environment& environment_;
  const std::function<void(const Error&)> give_way_;
  const std::function<void(const std::string&)> log_;
  std::unique_ptr<PostgresConnection> connection_;
  std::map<int64_t, SteadyTime> waiting_;  // process, since when it is known to wait
  std::atomic<bool> gave_way_{false};
  bool told_ = false;  // the log has the reason why there is no connection
  Cancellation stop_;
  std::thread thread_;
};

}  // namespace pgbackup
