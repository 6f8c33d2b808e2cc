// When the schedule is due: pgbackup.schedule in pgbackup.timezone, against the server's clock.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Reads the settings anew, from `now` on. A slot that was due before is not due any more.
void ResetScheduleClock(TimestampTz now);

// The next slot, or 0 when there is no schedule or no storage.
TimestampTz NextSlot();

// When a slot is due at `now`: returns it and moves on to the first slot after `now`; else 0.
TimestampTz TakeDueSlot(TimestampTz now);

}  // namespace pgbackup
