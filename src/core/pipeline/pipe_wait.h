// Waiting at a pipe so that much moves at a time.
//
// A process that sleeps until a pipe has something is woken by the first page that arrives, and
// then by every page again: pg_dump and pg_restore write and read 4 kB at a time, so each of these
// costs two changes of context. Whoever looks away for a moment instead finds all that has gathered
// meanwhile, and nobody is woken. What a pipe holds (1 MB, child_process.cpp) lasts longer than
// such a moment.
#pragma once

#include "core/base/cancellation.h"

namespace pgbackup {

// Looks away for a millisecond, or until the run ends.
void LetPipeGather(const Cancellation& cancellation) noexcept;

// Sleeps until `fd` has one of `events` (poll(2)), or the run ends.
void AwaitPipe(int fd, short events, const Cancellation& cancellation) noexcept;

}  // namespace pgbackup
