#include "core/job/stall_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kShortestLook{50};
constexpr std::chrono::milliseconds kLongestLook{5000};
constexpr std::chrono::milliseconds kTimeToEnd{15000};

}  // namespace

bool StallClock::IsStalled(const Progress& progress, SteadyTime now) {
  const Progress::Mark mark = progress.mark();
  const uint64_t sights = progress.sights_of_work;
  if (!has_begun_ || mark != last_ || mark.has_own_limit) came_further_ = worked_ = now;
  if (sights != sights_) worked_ = now;
  has_begun_ = true;
  last_ = mark;
  sights_ = sights;
  return now - worked_ >= limit_ || now - came_further_ >= limit_ * kWorkFactor;
}

StallWatch::StallWatch(std::chrono::milliseconds limit, const Progress& progress,
                       Environment& environment, std::function<void()> stalled,
                       std::function<void()> abandon)
    : limit_(limit),
      progress_(progress),
      environment_(environment),
      stalled_(std::move(stalled)),
      abandon_(std::move(abandon)) {
  if (limit_.count() > 0) thread_ = std::thread([this] { Run(); });
}

StallWatch::~StallWatch() {
  stop_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void StallWatch::Run() noexcept {
  const auto pause = std::clamp(limit_ / 10, kShortestLook, kLongestLook);
  StallClock clock(limit_);
  while (!clock.IsStalled(progress_, environment_.SteadyNow())) {
    environment_.Sleep(pause, stop_);
    if (stop_.IsCancelled()) return;
  }
  stalled_();
  environment_.Sleep(kTimeToEnd, stop_);
  if (!stop_.IsCancelled() && abandon_) abandon_();
}

Error Stalled(std::chrono::milliseconds limit, const std::string& phase) {
  return Error(ErrorKind::kUnavailable,
               fmt::format("no progress within pgbackup.stall_timeout ({} s), in phase \"{}\"",
                           limit.count() / 1000, phase),
               "No bytes moved, and no session of the run was seen to get ahead in the server.",
               "Find out what it waited for: a function that an owner has put into a constraint, a "
               "storage that does not answer. Raise pgbackup.stall_timeout if it needs that long.");
}

}  // namespace pgbackup
