#include "core/blocking/blocking_monitor.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/deadline.h"
#include "core/blocking/blocked_sessions.h"
#include "core/blocking/run_sessions.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr std::chrono::milliseconds kShortestPause{50};
constexpr std::chrono::milliseconds kExplainTime{5000};

// It reads no table, but must never stand in the queue that it watches.
void Hurry(PostgresConnection& connection) {
  connection.Execute("SET lock_timeout = 1000");
  connection.Execute("SET statement_timeout = 10000");
}

// Forgets those that do not wait any more.
void Keep(const std::vector<int64_t>& pids, SteadyTime now, std::map<int64_t, SteadyTime>* waits) {
  std::erase_if(*waits, [&](const auto& known) {
    return std::find(pids.begin(), pids.end(), known.first) == pids.end();
  });
  for (const int64_t pid : pids) waits->emplace(pid, now);
}

}  // namespace

BlockingMonitor::BlockingMonitor(std::vector<ConnectionSettings> settings, Limits limits,
                                 Environment& environment, Progress& progress,
                                 std::function<void(const Error&)> end,
                                 std::function<void(const std::string&)> log)
    : settings_(std::move(settings)),
      limits_(limits),
      environment_(environment),
      progress_(progress),
      end_(std::move(end)),
      log_(std::move(log)),
      thread_([this] { Run(); }) {}

BlockingMonitor::~BlockingMonitor() {
  stop_.Cancel();
  thread_.join();
}

void BlockingMonitor::Run() noexcept {
  auto pause = kLongestPause;
  for (const auto limit : {limits_.others, limits_.own})
    if (limit.count() > 0) pause = std::clamp(limit / 10, kShortestPause, pause);
  while (!stop_.IsCancelled() && !ended_) {
    auto wait = pause;
    try {
      if (!connection_) Connect();
      Look();
      failures_ = 0;
    } catch (const std::exception& error) {
      if (stop_.IsCancelled()) return;
      // What cannot connect at all fails by itself and says so.
      if (++failures_ == 2)
        log_(fmt::format("cannot see at the moment whether anybody waits for this run: {}",
                         error.what()));
      ++progress_.sights_of_work;
      connection_.reset();
      next_ = (next_ + 1) % settings_.size();
      if (next_ == 0) wait = limits_.reconnect;
    }
    environment_.Sleep(wait, stop_);
  }
}

void BlockingMonitor::Connect() {
  connection_ = std::make_unique<PostgresConnection>(settings_[next_], stop_);
  Hurry(*connection_);
}

void BlockingMonitor::Look() {
  if (limits_.others.count() > 0) LookForWaiters();
  if (limits_.own.count() > 0 && !ended_) LookForBlocked();
  if (!ended_) work_.Look(*connection_, progress_);
}

RelationNames BlockingMonitor::Names() const {
  return [this](const std::string& database, int64_t oid) {
    return RelationInWords(settings_.back(), database, oid);
  };
}

// By the monitor's own clock first: asking the server since when reads all of its locks.
void BlockingMonitor::LookForWaiters() {
  Keep(ListWaiters(*connection_), environment_.SteadyNow(), &waiters_);
  for (auto& [pid, since] : waiters_) {
    if (environment_.SteadyNow() - since < limits_.others) continue;
    const std::optional<LockWaiter> waiter = DescribeWaiter(*connection_, pid, Names());
    if (waiter && waiter->waited >= limits_.others) return EndRun(GaveWay(*waiter, ""));
    // It is another wait than the one that was seen first.
    since = environment_.SteadyNow() - (waiter ? waiter->waited : std::chrono::milliseconds(0));
  }
}

void BlockingMonitor::LookForBlocked() {
  const auto limit = limits_.own + kGrace;
  Keep(ListBlocked(*connection_), environment_.SteadyNow(), &blocked_);
  for (auto& [pid, since] : blocked_) {
    if (environment_.SteadyNow() - since < limit) continue;
    const std::optional<BlockedSession> session = DescribeBlocked(*connection_, pid, Names());
    if (session && session->waited >= limit) {
      // The other one may itself wait for another session of the run.
      const auto between = DescribeWaiter(*connection_, session->blocker, Names());
      return EndRun(between ? GaveWay(*between, "A session of the run waited behind it.")
                            : HeldUp(*session));
    }
    since = environment_.SteadyNow() - (session ? session->waited : std::chrono::milliseconds(0));
  }
}

void BlockingMonitor::EndRun(const Error& error) {
  ended_ = true;
  end_(error);
  // The run ends its lanes now, which may take seconds when a storage does not answer.
  EndSessionsOfRun(*connection_);
}

Error BlockingMonitor::ExplainedOf(const Error& error, const std::string& database) const {
  if (error.kind() != ErrorKind::kUnavailable) return error;
  try {
    const Deadline deadline(kExplainTime);
    PostgresConnection connection(settings_.front(), deadline.cancellation());
    Hurry(connection);
    if (const auto session = DescribeClosed(connection, database)) {
      const Error held_up = HeldUp(*session);
      return Error(ErrorKind::kBusy,
                   fmt::format("could not connect to database \"{}\" because of process {}",
                               database, session->blocker),
                   held_up.detail(), held_up.hint());
    }
  } catch (const std::exception&) {
    // Then it is not the database alone.
  }
  return error;
}

Error BlockingMonitor::Explained(const Error& error) const {
  if (ended_ || error.kind() != ErrorKind::kBusy) return error;
  try {
    const Deadline deadline(kExplainTime);
    PostgresConnection connection(settings_[next_], deadline.cancellation());
    Hurry(connection);
    for (const int64_t pid : ListWaiters(connection))
      if (const std::optional<LockWaiter> waiter = DescribeWaiter(connection, pid, Names()))
        return GaveWay(*waiter, "The backup itself stood there: " + error.message() + ".");
  } catch (const std::exception& failure) {
    log_(fmt::format("cannot see who holds up this backup: {}", failure.what()));
  }
  return error;
}

}  // namespace pgbackup
