#include "core/storage/throttle.h"

namespace pgbackup {

void Throttle::Take(size_t bytes, const Cancellation& cancellation) {
  const std::chrono::duration<double> needed(static_cast<double>(bytes) /
                                             static_cast<double>(bytes_per_second_));
  SteadyTime start;
  {
    const std::lock_guard lock(mutex_);
    start = std::max(booked_until_, environment_.SteadyNow() - kBurst);
    booked_until_ = start + std::chrono::duration_cast<SteadyTime::duration>(needed);
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(start - environment_.SteadyNow());
  if (wait.count() > 0) environment_.Sleep(wait, cancellation);
}

}  // namespace pgbackup
