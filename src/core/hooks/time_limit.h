// A Cancellation that sets itself after a while, or when another one is set.
#pragma once

#include <chrono>
#include <thread>

#include "core/base/cancellation.h"

namespace pgbackup {

class TimeLimit {
 public:
  // `other` may be nullptr, and outlives this.
  TimeLimit(std::chrono::milliseconds duration, const Cancellation* other);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  const Cancellation& cancellation() const noexcept { return ended_; }
  // Whether it was the time that ended it.
  bool IsOver() const noexcept;

 private:
  const Cancellation* other_;
  Cancellation ended_;
  Cancellation done_;
  std::thread timer_;
};

}  // namespace pgbackup
