// Sees to it that a run and the other sessions of the server keep each other waiting for a bounded
// time only.
//
// A dump holds a lock on every table until it ends. It keeps no reader and no writer out, but a
// statement that needs a table for itself (ALTER TABLE, TRUNCATE, …) waits for it, and everybody
// who comes later waits behind that statement. The other way round, a transaction that is left open
// stops whatever needs what it has changed, and the programs of a dump set no limit to that wait.
// The monitor looks once a second, with a connection of its own, and ends the run when one of
// either side has waited for too long. It also takes down how far the server is (server_work.h).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/blocking/lock_waiters.h"
#include "core/blocking/server_work.h"
#include "core/postgres/postgres_connection.h"
#include "core/progress/progress.h"

namespace pgbackup {

class BlockingMonitor {
 public:
  struct Limits {
    std::chrono::milliseconds others{0};         // wait for the run; 0: as long as it takes
    std::chrono::milliseconds own{0};            // sessions wait for others; 0: as above
    std::chrono::milliseconds reconnect{10000};  // after a failure of the monitor's own connection
  };

  // How much longer than its limit a session of the run waits until the monitor ends the run: the
  // statements that have that limit themselves fail first, and say more.
  static constexpr std::chrono::milliseconds kGrace{1000};

  // Connects with the first of `settings` that works; all are the run's (RunSettings). The database
  // of the run comes last: its owner can lock it up, so another is better. Calls `end` (from its
  // own thread, at most once) with the error the run is to fail with, then ends the run's sessions.
  // A monitor that cannot look says so with `log` and goes on trying: it fails no run, and what it
  // does not see counts as work for `progress`.
  BlockingMonitor(std::vector<ConnectionSettings> settings, Limits limits, Environment& environment,
                  Progress& progress, std::function<void(const Error&)> end,
                  std::function<void(const std::string&)> log);
  ~BlockingMonitor();
  BlockingMonitor(const BlockingMonitor&) = delete;
  BlockingMonitor& operator=(const BlockingMonitor&) = delete;

  // What to say of `error`, with which the run has failed to connect to `database`: that a session
  // keeps others out of it, if one does.
  Error ExplainedOf(const Error& error, const std::string& database) const;

  // What to say of `error`, with which a lane has failed because it could not lock its tables while
  // the coordinator holds its locks: a statement waits for the coordinator, and the lane waited
  // behind it. The same error when nobody is seen, or it is the monitor's own.
  Error Explained(const Error& error) const;

 private:
  using Waits = std::map<int64_t, SteadyTime>;  // process, since when it is known to wait

  void Run() noexcept;
  void Connect();
  void Look();
  void LookForWaiters();
  void LookForBlocked();
  RelationNames Names() const;
  void EndRun(const Error& error);

  const std::vector<ConnectionSettings> settings_;
  const Limits limits_;
  Environment& environment_;
  Progress& progress_;
  const std::function<void(const Error&)> end_;
  const std::function<void(const std::string&)> log_;
  std::atomic<size_t> next_{0};  // of settings_, to connect with
  std::unique_ptr<PostgresConnection> connection_;
  ServerWork work_;
  Waits waiters_, blocked_;
  std::atomic<bool> ended_{false};
  int failures_ = 0;  // in a row
  Cancellation stop_;
  std::thread thread_;
};

}  // namespace pgbackup
