// When pgbackup.schedule and pgbackup.cleanup_schedule are due, in pgbackup.timezone, against the
// server's clock.
#pragma once

#include "pg/server.h"

namespace pgbackup {

enum class Clock { kBackups, kCleanup };
inline constexpr int kClocks = 2;

// Reads the settings anew, from `now` on. A slot that was due before is not due any more.
void ResetClocks(TimestampTz now);

// The next slot, or 0 when there is no schedule; backups also need a storage.
TimestampTz NextSlot(Clock clock);

// When a slot is due at `now`: returns it and moves on to the first slot after `now`; else 0.
TimestampTz TakeDueSlot(Clock clock, TimestampTz now);

}  // namespace pgbackup
