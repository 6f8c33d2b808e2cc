// The pgbackup launcher: one background worker that starts agents and is the only writer of the
// state of runs.
//
// It sleeps until something happens: a commit that asked for a run or a cancel, an agent that
// speaks or ends, a configuration reload, the next slot of the schedule. It holds no transaction
// while it sleeps and never waits for an agent.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Registers the worker; called while the server preloads the library.
void RegisterLauncherWorker();

}  // namespace pgbackup

extern "C" {
PGDLLEXPORT void pgbackup_launcher_main(Datum argument);
}
