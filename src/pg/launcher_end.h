// How the launcher ends when the server stops: not before it has recorded what its agents have
// told.
//
// A server that stops in "smart" mode ends the launcher as soon as its clients have gone, the
// sessions of a backup among them. That backup has just been completed then.
#pragma once

namespace pgbackup {

// Takes SIGTERM from now on.
void ListenForEnd();

// Whether SIGTERM ends the process wherever it is, as it ends other sessions, or waits for
// EndIfRequested. At once, until this is called.
void EndAtOnce(bool at_once);

// Ends the process when SIGTERM has come: as soon as the ends of runs that agents have told are
// recorded, after a second at the latest.
void EndIfRequested();

}  // namespace pgbackup
