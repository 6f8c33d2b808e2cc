// When pgbackup.cleanup_schedule is due, in pgbackup.timezone, against the server's clock.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Reads the settings anew, from `now` on. A slot that was due before is not due any more.
void ResetCleanupClock(TimestampTz now);

// The next slot, or 0 when there is no schedule.
TimestampTz NextCleanupSlot();

// Whether a slot is due at `now`; then moves on to the first slot after `now`.
bool TakeCleanupSlot(TimestampTz now);

}  // namespace pgbackup
