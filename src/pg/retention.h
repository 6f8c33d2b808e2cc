// Retention, as the launcher applies it: to the database of a backup as soon as that has completed,
// and to every database in sweeps, which go through them by name.
//
// A sweep follows a change of the rules by a minute, a slot of pgbackup.cleanup_schedule at once,
// and the sweep before by an hour. It is made in slices of some milliseconds, with pauses, so that
// the launcher serves its agents meanwhile however many databases there are. A database whose turn
// fails is left out; then the next sweep comes soon.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Has a database's turn come at once.
void RetainSoon(const char* database);

// Has a sweep begin at `at`, unless one is under way or begins earlier.
void SweepAt(TimestampTz at);

// In a transaction: looks whether the rules have changed since the last time.
void NoteRetentionRules(TimestampTz now);

// When the next slice is due, 0 for never.
TimestampTz NextSliceTime();

// In a transaction: the slice that is due. What it has done counts once EndSlice has been told that
// the transaction was committed.
void RunSlice(TimestampTz now);

// Returns whether backups have expired, whose objects are now to be removed.
bool EndSlice(TimestampTz now, bool is_committed);

// Whether some database's last turn has failed.
bool RetentionFails();

// The extension is gone.
void ForgetRetention();

}  // namespace pgbackup
