// The schedules that run: pgbackup.schedule, pgbackup.verify_schedule and those made by
// pgbackup.schedule().
//
// A fixed table in the launcher's memory, read from the catalog, which also says how far each
// schedule is. The launcher's loop asks it what to wait for.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Reads the schedules from the catalog, within a transaction; TakeUpSchedules makes them those that
// run, once that is committed.
void ReadSchedules(TimestampTz now);
void TakeUpSchedules();

// No schedule runs.
void ForgetSchedules();

// The earliest time at which a schedule is due, 0 for never.
TimestampTz NextScheduleTime();

// Whether the clock has been set back behind what is settled: the schedules must be read anew.
bool ClockWasSetBack(TimestampTz now);

// Settles the slots of the first schedule that is due at `now`, within a transaction: queues
// backups and records what was missed. ConfirmSlots goes on to its next slot, once that is
// committed.
void SettleSlots(TimestampTz now);
void ConfirmSlots();

}  // namespace pgbackup
