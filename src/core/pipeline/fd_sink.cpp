#include "core/pipeline/fd_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace pgbackup {

FdSink::FdSink(UniqueFd fd, const Cancellation& cancellation, std::function<void()> reader_gone)
    : fd_(std::move(fd)),
      wait_(fd_.get(), POLLOUT, cancellation),
      cancellation_(cancellation),
      reader_gone_(std::move(reader_gone)) {}

void FdSink::Write(std::span<const std::byte> data) {
  bool was_full = false;
  while (!data.empty() && !discarding_) {
    cancellation_.ThrowIfCancelled();
    const ssize_t written = write(fd_.get(), data.data(), data.size());
    if (written >= 0) {
      data = data.subspan(static_cast<size_t>(written));
      was_full = false;
    } else if (errno == EAGAIN) {
      if (was_full)
        wait_.Sleep();
      else
        wait_.LetGather();
      was_full = true;
    } else if (errno == EPIPE) {
      reader_gone_();
      discarding_ = true;
    } else if (errno != EINTR) {
      throw Error(ErrorKind::kInternal,
                  fmt::format("could not write to a pipe: {}", strerror(errno)));
    }
  }
}

}  // namespace pgbackup
