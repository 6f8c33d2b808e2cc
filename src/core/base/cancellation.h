// A request to stop, shared by all threads of one job.
//
// Set once, never cleared. Loops that wait on descriptors add fd() to their poll set: it becomes
// readable on Cancel() and stays so. Everything else asks IsCancelled() between steps. Cleaning up
// after a cancelled job (aborting uploads, deleting objects) uses another, fresh Cancellation.
#pragma once

#include <atomic>
#include <string>

namespace pgbackup {

class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Asks for the end. Async-signal-safe and callable from any thread; later calls change nothing.
  void Cancel() noexcept;
  bool IsCancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  // Throws Error(kCancelled) once Cancel() has been called.
  void ThrowIfCancelled() const;
  // Descriptor (owned by this object) that is readable once cancelled.
  int fd() const noexcept { return fd_; }

 private:
  std::atomic<bool> cancelled_{false};
  int fd_;
};

}  // namespace pgbackup
