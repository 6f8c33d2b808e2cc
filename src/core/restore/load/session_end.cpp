#include "core/restore/load/session_end.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <utility>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};

}  // namespace

int64_t BackendPid(PostgresConnection& connection) {
  return connection.Query("SELECT pg_backend_pid()").Integer(0, 0);
}

SessionEnd::SessionEnd(PostgresConnection connection, int64_t renaming_pid,
                       std::vector<int64_t> databases, std::set<int64_t> spared,
                       std::function<void()> when_alone)
    : connection_(std::move(connection)),
      renaming_pid_(renaming_pid),
      databases_(std::move(databases)),
      spared_(std::move(spared)),
      when_alone_(std::move(when_alone)),
      thread_([this] { Run(); }) {}

SessionEnd::~SessionEnd() {
  Stop();
}

void SessionEnd::Stop() noexcept {
  stop_.store(true);
  if (thread_.joinable()) thread_.join();
}

void SessionEnd::Finish() {
  Stop();
  if (failure_) std::rethrow_exception(failure_);
  if (when_alone_)
    throw Error(ErrorKind::kUnavailable, "the connection to the server was lost",
                "The sessions that copy what pgbackup has recorded were ended from outside.");
}

bool SessionEnd::IsLocked() {
  return connection_
             .Query(fmt::format("SELECT 1 FROM pg_locks WHERE locktype = 'object' "
                                "AND classid = 'pg_database'::regclass AND objid = {} AND pid = {} "
                                "AND mode = 'AccessExclusiveLock' AND granted",
                                databases_.front(), renaming_pid_))
             .rows() > 0;
}

// Returns whether there were none.
bool SessionEnd::EndOthers() {
  const QueryResult others = connection_.Query(
      fmt::format("SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE datid IN ({}) AND pid NOT IN ({})",
                  fmt::join(databases_, ", "),
                  spared_.empty() ? "0" : fmt::format("{}", fmt::join(spared_, ", "))));
  return others.rows() == 0;
}

void SessionEnd::Run() noexcept {
  try {
    bool locked = false;
    while (!stop_.load()) {
      locked = locked || IsLocked();
      if (locked && EndOthers() && when_alone_) std::exchange(when_alone_, nullptr)();
      std::this_thread::sleep_for(kLookEvery);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

}  // namespace pgbackup
