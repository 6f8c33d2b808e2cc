// A Cancellation that sets itself after a while, or when another one is set: the time limit of
// cleaning up, or of a hook.
#pragma once

#include <chrono>
#include <thread>

#include "core/base/cancellation.h"

namespace pgbackup {

class Deadline {
 public:
  // `other` may be nullptr, and outlives this.
  explicit Deadline(std::chrono::milliseconds duration, const Cancellation* other = nullptr);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  const Cancellation& cancellation() const noexcept { return ended_; }
  // Whether the time has ended it, not the other one.
  bool IsOver() const noexcept;

 private:
  const Cancellation* other_;
  Cancellation ended_;
  Cancellation done_;
  std::thread timer_;
};

}  // namespace pgbackup
