#include "core/base/deadline.h"

#include <poll.h>

#include <algorithm>

namespace pgbackup {

Deadline::Deadline(std::chrono::milliseconds duration, const Cancellation* other)
    : other_(other), timer_([this, duration] {
        const auto end = std::chrono::steady_clock::now() + duration;
        for (;;) {
          const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
              end - std::chrono::steady_clock::now());
          pollfd waiting[] = {{done_.fd(), POLLIN, 0},
                              {other_ == nullptr ? -1 : other_->fd(), POLLIN, 0}};
          const int ready =
              poll(waiting, 2, static_cast<int>(std::clamp<int64_t>(left.count() + 1, 0, 60'000)));
          if (done_.IsCancelled()) return;
          if (ready > 0 || std::chrono::steady_clock::now() >= end) break;
        }
        ended_.Cancel();
      }) {}

Deadline::~Deadline() {
  done_.Cancel();
  timer_.join();
}

bool Deadline::IsOver() const noexcept {
  return ended_.IsCancelled() && (other_ == nullptr || !other_->IsCancelled());
}

}  // namespace pgbackup
