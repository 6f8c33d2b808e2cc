#include "core/pipeline/pump.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "core/pipeline/pipe_wait.h"

namespace pgbackup {

void Pump(int fd, Sink& to, const Cancellation& cancellation) {
  const PipeWait wait(fd, POLLIN, cancellation);
  std::vector<std::byte> buffer(256 << 10);
  for (;;) {
    cancellation.ThrowIfCancelled();
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) return;
    if (got > 0) {
      to.Write(std::span(buffer.data(), static_cast<size_t>(got)));
      if (static_cast<size_t>(got) < buffer.size()) wait.LetGather();
    } else if (errno == EAGAIN) {
      wait.Sleep();
    } else if (errno != EINTR) {
      throw Error(ErrorKind::kInternal,
                  fmt::format("could not read from a pipe: {}", strerror(errno)));
    }
  }
}

}  // namespace pgbackup
