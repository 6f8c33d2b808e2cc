// A Cancellation that sets itself after a while: the time limit of cleaning up.
#pragma once

#include <chrono>
#include <thread>

#include "core/base/cancellation.h"

namespace pgbackup {

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds duration);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  const Cancellation& cancellation() const noexcept { return expired_; }

 private:
  Cancellation expired_;
  Cancellation done_;
  std::thread timer_;
};

}  // namespace pgbackup
