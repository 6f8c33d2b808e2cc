// Notices a run that comes no further.
//
// Progress is: bytes that moved, another phase, another table, and what the server is seen to have
// done (server_work.h). A run without any, and without a session at work in the server, is stalled
// after the limit. As long as a session works, it has kWorkFactor times that: the server does not
// count how far a constraint is checked, and a function that never ends looks just the same.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/progress/progress.h"

namespace pgbackup {

// When which progress was last seen.
class StallClock {
 public:
  static constexpr int kWorkFactor = 12;

  explicit StallClock(std::chrono::milliseconds limit) : limit_(limit) {}

  // Whether a run that is as far as `progress` at the time `now` is stalled. A phase with a time
  // limit of its own never is.
  bool IsStalled(const Progress& progress, SteadyTime now);

 private:
  const std::chrono::milliseconds limit_;
  bool has_begun_ = false;
  Progress::Mark last_;
  uint64_t sights_ = 0;
  SteadyTime came_further_{}, worked_{};
};

class StallWatch {
 public:
  // Calls `stalled` once when the run is, and `abandon` (may be empty) when it is still there so
  // long after that the storage or the kernel must be stuck. Both from a thread of its own. A limit
  // of 0 switches it off.
  StallWatch(std::chrono::milliseconds limit, const Progress& progress, Environment& environment,
             std::function<void()> stalled, std::function<void()> abandon);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  void Run() noexcept;

  const std::chrono::milliseconds limit_;
  const Progress& progress_;
  Environment& environment_;
  const std::function<void()> stalled_;
  const std::function<void()> abandon_;
  Cancellation stop_;
  std::thread thread_;
};

// What a run has failed of that was stalled with this limit, in that phase.
Error Stalled(std::chrono::milliseconds limit, const std::string& phase);

}  // namespace pgbackup
