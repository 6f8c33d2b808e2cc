// Errors of the launcher's own steps that come again round after round: what to do about the log,
// how long to wait, and what health() is told.
//
// A step that fails because of the row it works on is no trouble: that row fails, and the others go
// on. What is left are errors of the server (no connection, no memory, a full disk, a lock that
// somebody holds) and of what the catalog is made of.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Notes an error of a step that is to be tried again. Returns whether it is to be logged: the first
// one, one with another text after half a minute, the same once a minute.
bool NoteTrouble(const char* message);

// Notes that a round has ended; `is_clear`: nothing is left that has failed. Ends the trouble when
// there was no error in the round.
void NoteRound(bool is_clear);

// How long to wait before the next attempt, in milliseconds: a second, and twice as long after each
// round with an error, up to a minute.
int RetryDelay();

}  // namespace pgbackup
