// Moves everything a descriptor gives into a sink.
#pragma once

#include "core/base/cancellation.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

// Reads `fd` (made non-blocking) to its end and writes it to `to`; neither finishes nor aborts it.
// Throws kCancelled when the run ends while it waits.
void Pump(int fd, Sink& to, const Cancellation& cancellation);

}  // namespace pgbackup
