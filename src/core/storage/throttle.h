// A limit on bytes per second, shared by all that write at the same time: a token bucket.
//
// Each Take books the time its bytes need behind those booked before, and waits until it is there.
// A tenth of a second may be unused and made up for later, which also evens out sleeps that are
// too long; so no more than that passes in one burst. Safe for several threads at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "core/base/environment.h"

namespace pgbackup {

class Throttle {
 public:
  // `bytes_per_second` is not 0; `environment` outlives this.
  Throttle(uint64_t bytes_per_second, Environment& environment)
      : bytes_per_second_(bytes_per_second),
        environment_(environment),
        booked_until_(environment.SteadyNow()) {}

  // How many bytes it makes sense to take at a time, so that waits stay short.
  size_t Slice() const noexcept {
    return static_cast<size_t>(std::clamp<uint64_t>(bytes_per_second_ / 20, 1, kMostSlice));
  }

  // Waits until `bytes` may pass; not longer than until `cancellation`.
  void Take(size_t bytes, const Cancellation& cancellation);

 private:
  static constexpr uint64_t kMostSlice = 256u << 10;
  static constexpr std::chrono::milliseconds kBurst{100};

  const uint64_t bytes_per_second_;
  Environment& environment_;
  std::mutex mutex_;
  SteadyTime booked_until_;  // guarded by mutex_
};

}  // namespace pgbackup
