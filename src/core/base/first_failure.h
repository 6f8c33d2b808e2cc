// The failure that ends a run: the first one, from whichever thread.
#pragma once

#include <exception>
#include <mutex>

#include "core/base/cancellation.h"

namespace pgbackup {

class FirstFailure {
 public:
  // `cancellation` is the run's: it is set with the first failure, so that everything else stops.
  explicit FirstFailure(Cancellation& cancellation) : cancellation_(cancellation) {}

  void Record(std::exception_ptr failure) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::move(failure);
    }
    cancellation_.Cancel();
  }

  // Throws the first failure, if there was one.
  void Rethrow() const {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  Cancellation& cancellation_;
  mutable std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace pgbackup
