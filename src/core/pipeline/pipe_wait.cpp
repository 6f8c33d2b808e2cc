#include "core/pipeline/pipe_wait.h"

#include <fcntl.h>
#include <poll.h>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr int kMomentMs = 1;
constexpr int kLastingSize = 512 << 10;  // a millisecond of 500 MB/s, which no dump reaches

}  // namespace

PipeWait::PipeWait(int fd, short events, const Cancellation& cancellation)
    : fd_(fd),
      events_(events),
      cancellation_(cancellation),
      lasts_(fcntl(fd, F_GETPIPE_SZ) >= kLastingSize) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    throw Error(ErrorKind::kInternal, "could not make a pipe non-blocking");
}

void PipeWait::LetGather() const noexcept {
  if (!lasts_) return;
  pollfd ending{cancellation_.fd(), POLLIN, 0};
  poll(&ending, 1, kMomentMs);
}

void PipeWait::Sleep() const noexcept {
  pollfd waiting[] = {{fd_, events_, 0}, {cancellation_.fd(), POLLIN, 0}};
  poll(waiting, 2, -1);
}

}  // namespace pgbackup
