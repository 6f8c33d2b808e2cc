// Writes to a pipe whose reader may go before the end.
//
// A reader that has gone (EPIPE) is not an error by itself: pg_restore stops early when it needs no
// more. The sink then asks its caller, who knows whether the reader succeeded, and discards the
// rest if the caller does not throw.
#pragma once

#include <functional>

#include "core/base/cancellation.h"
#include "core/base/unique_fd.h"
#include "core/pipeline/pipe_wait.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class FdSink final : public Sink {
 public:
  // Takes the descriptor, makes it non-blocking. `reader_gone` is called once, on the first EPIPE.
  FdSink(UniqueFd fd, const Cancellation& cancellation, std::function<void()> reader_gone);

  // Throws kCancelled when the run ends while it waits.
  void Write(std::span<const std::byte> data) override;
  // Closes the descriptor: the reader sees the end of its input.
  void Finish() override { fd_.Reset(); }
  void Abort() noexcept override { fd_.Reset(); }

 private:
  UniqueFd fd_;
  const PipeWait wait_;
  const Cancellation& cancellation_;
  std::function<void()> reader_gone_;
  bool discarding_ = false;
};

}  // namespace pgbackup
