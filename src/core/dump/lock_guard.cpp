#include "core/dump/lock_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/dump/lock_waiters.h"
#include "core/run/deadline.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr std::chrono::milliseconds kShortestPause{50};
constexpr std::chrono::milliseconds kExplainTime{5000};

}  // namespace

LockGuard::LockGuard(const ConnectionSettings& settings, Limits limits, Environment& environment,
                     std::function<void(const Error&)> give_way,
                     std::function<void(const std::string&)> log)
    : settings_(settings),
      limits_(limits),
      environment_(environment),
      give_way_(std::move(give_way)),
      log_(std::move(log)) {
  if (limits_.patience.count() > 0) thread_ = std::thread([this] { Run(); });
}

LockGuard::~LockGuard() {
  stop_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void LockGuard::Run() noexcept {
  const auto pause = std::clamp(limits_.patience / 10, kShortestPause, kLongestPause);
  while (!stop_.IsCancelled() && !gave_way_) {
    auto wait = pause;
    try {
      if (!connection_) Connect();
      Look();
    } catch (const std::exception& error) {
      if (stop_.IsCancelled()) return;
      if (!told_)
        log_(fmt::format("cannot see at the moment whether anybody waits for this backup: {}",
                         error.what()));
      told_ = true;
      connection_.reset();
      wait = limits_.reconnect;
    }
    environment_.Sleep(wait, stop_);
  }
}

void LockGuard::Connect() {
  connection_ = std::make_unique<PostgresConnection>(settings_, stop_);
  // It reads no table, but must never stand in the queue that it watches.
  connection_->Execute("SET lock_timeout = 1000");
  told_ = false;
}

void LockGuard::Look() {
  const std::vector<int64_t> waiters = ListWaiters(*connection_);
  std::erase_if(waiting_, [&](const auto& known) {
    return std::find(waiters.begin(), waiters.end(), known.first) == waiters.end();
  });
  for (const int64_t pid : waiters) waiting_.emplace(pid, environment_.SteadyNow());
  for (const int64_t pid : waiters)
    if (HasWaitedTooLong(pid)) return;
}

// By the guard's own clock first: asking the server since when reads all of its locks.
bool LockGuard::HasWaitedTooLong(int64_t pid) {
  SteadyTime& since = waiting_.at(pid);
  if (environment_.SteadyNow() - since < limits_.patience) return false;
  const std::optional<LockWaiter> waiter = DescribeWaiter(*connection_, pid);
  if (!waiter || waiter->waited < limits_.patience) {
    // It is another wait than the one that was seen first.
    since = environment_.SteadyNow() - (waiter ? waiter->waited : std::chrono::milliseconds(0));
    return false;
  }
  GiveWay(GaveWay(*waiter, ""));
  return true;
}

void LockGuard::GiveWay(const Error& error) {
  gave_way_ = true;
  give_way_(error);
  // The run ends its lanes now, which may take seconds when a storage does not answer.
  EndSessionsOfRun(*connection_);
}

Error LockGuard::Explained(const Error& error) const {
  if (gave_way_ || error.kind() != ErrorKind::kBusy) return error;
  try {
    const Deadline deadline(kExplainTime);
    PostgresConnection connection(settings_, deadline.cancellation());
    for (const int64_t pid : ListWaiters(connection))
      if (const std::optional<LockWaiter> waiter = DescribeWaiter(connection, pid))
        return GaveWay(*waiter, "The backup itself stood there: " + error.message() + ".");
  } catch (const std::exception& failure) {
    log_(fmt::format("cannot see who holds up this backup: {}", failure.what()));
  }
  return error;
}

}  // namespace pgbackup
