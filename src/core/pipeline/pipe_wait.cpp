#include "core/pipeline/pipe_wait.h"

#include <poll.h>

namespace pgbackup {

void LetPipeGather(const Cancellation& cancellation) noexcept {
  constexpr int kMomentMs = 1;
  pollfd ending{cancellation.fd(), POLLIN, 0};
  poll(&ending, 1, kMomentMs);
}

void AwaitPipe(int fd, short events, const Cancellation& cancellation) noexcept {
  pollfd waiting[] = {{fd, events, 0}, {cancellation.fd(), POLLIN, 0}};
  poll(waiting, 2, -1);
}

}  // namespace pgbackup
