#include "core/base/cancellation.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "core/base/error.h"

namespace pgbackup {

Cancellation::Cancellation() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw Error(ErrorKind::kInternal, "could not create an eventfd");
}

Cancellation::~Cancellation() {
  close(fd_);
}

void Cancellation::Cancel() noexcept {
  cancelled_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // The counter is never read, so one write makes the descriptor readable for good.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

void Cancellation::ThrowIfCancelled() const {
  if (IsCancelled()) throw Error(ErrorKind::kCancelled, "the run was cancelled");
}

}  // namespace pgbackup
