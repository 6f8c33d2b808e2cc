// Waiting at a pipe so that much moves at a time.
//
// A process that sleeps until a pipe has something is woken by the first page that arrives, and
// then by every page again: pg_dump and pg_restore write and read 4 kB at a time, so each of these
// costs two changes of context. Whoever looks away for a moment instead finds all that has gathered
// meanwhile, and nobody is woken.
#pragma once

#include "core/base/cancellation.h"

namespace pgbackup {

class PipeWait {
 public:
  // The pipe's descriptor and what is awaited of it, POLLIN or POLLOUT; both outlive this. Makes
  // the descriptor non-blocking; throws kInternal when that fails.
  PipeWait(int fd, short events, const Cancellation& cancellation);

  // After little has moved: looks away for a millisecond, or until the run ends. Does nothing when
  // the pipe holds too little to last that long.
  void LetGather() const noexcept;

  // Sleeps until the pipe is ready, or the run ends.
  void Sleep() const noexcept;

 private:
  const int fd_;
  const short events_;
  const Cancellation& cancellation_;
  bool lasts_;
};

}  // namespace pgbackup
