#include "core/base/deadline.h"

#include "core/base/environment.h"

namespace pgbackup {

Deadline::Deadline(std::chrono::milliseconds duration)
    : timer_([this, duration] {
        SystemEnvironment()->Sleep(duration, done_);
        if (!done_.IsCancelled()) expired_.Cancel();
      }) {}

Deadline::~Deadline() {
  done_.Cancel();
  timer_.join();
}

}  // namespace pgbackup
