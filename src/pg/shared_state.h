// What the launcher and the backends share: a way to wake each other, and the progress of runs.
//
// Lives in the server's main shared memory, made at server start. Nothing here is the truth about a
// run (that is in the tables): losing it loses a progress display.
#pragma once

#include "pg/server.h"

namespace pgbackup {

inline constexpr int kMaxProgress = 32;
inline constexpr int kMaxPhase = 64;
inline constexpr int kMaxCurrentTables = 16;
inline constexpr int kMaxTroubleText = 512;

enum class RunKind { kBackup, kRestore, kVerify, kCopy };

constexpr const char* RunKindName(RunKind kind) {
  switch (kind) {
    case RunKind::kBackup:
      return "backup";
    case RunKind::kRestore:
      return "restore";
    case RunKind::kVerify:
      return "verification";
    case RunKind::kCopy:
      break;
  }
  return "copy";
}

// A table by its name, which is cut where the encoding here makes it too long.
struct TableName {
  NameData schema;
  NameData name;
};

// The launcher wakes at least this often, to show that it is there. When it has completed no round
// for so much longer, something holds it up: another process that stopped it, a lock, the kernel.
inline constexpr long kHeartbeatMs = 20000;
inline constexpr int64 kLongestRoundMs = 90000;

// A time in microseconds that grows steadily in all processes of the machine, whoever sets a clock.
int64 SteadyMicroseconds();
// The time that was then by the server's clock, which may have been set since.
TimestampTz AsTimestamp(int64 steady_time);

// What an agent tells of its progress. Sizes are bytes.
struct AgentProgress {
  char phase[kMaxPhase];
  int64 raw_bytes;
  int64 stored_bytes;
  int64 total_bytes;                   // an estimate of the final raw_bytes; 0: unknown
  int64 idle_seconds;                  // since it last came further or was seen at work
  TimestampTz data_began, data_ended;  // 0: not yet
  bool knows_tables;                   // the rest says something
  int64 tables_done, tables_total;
  int current_count;
  TableName current[kMaxCurrentTables];  // those that are being worked on
};

// The progress of one running agent.
struct RunProgress {
  int64 run_id;  // 0: the slot is free
  RunKind kind;
  int32 agent_pid;
  NameData database;
  TimestampTz started_at;
  int64 moved_at;  // SteadyMicroseconds at which it last came further, as far as it has told
  AgentProgress told;
};

// The launcher's process, as far as it has shown itself.
struct LauncherState {
  int pid;                 // 0: none runs
  TimestampTz since;       // when it began, or ended; 0: there has been none yet
  int64 last_round_ended;  // SteadyMicroseconds; 0 when none runs
  int64 last_run_ended;    // the same of a run's recorded end, or of the launcher's begin
};

// Errors that the launcher meets in a row.
struct LauncherTrouble {
  int64 errors;  // 0: none, and the rest says nothing
  TimestampTz since, last_at;
  char message[kMaxTroubleText];  // of the last one
};

// Asks for the shared memory and the lock; called while the server preloads the library.
void RequestSharedState();

// False in a server that does not preload the library.
bool IsPreloaded();

// Launcher: makes this process the one that WakeLauncher wakes, until it exits.
void RegisterLauncher();
// Launcher: notes that it has completed a round of its loop.
void PublishRound();
// Launcher: notes that it has recorded the end of a run, so that there is room for another one.
void PublishRunEnd();
LauncherState ReadLauncherState();
// Launcher: notes that it is about to connect to its database, or that it has. Returns the note
// that stood before: true means that the launcher before this one ended while connecting.
bool NoteConnecting(bool connecting);
// Launcher: lets the backends know what is wrong with it.
void PublishTrouble(const LauncherTrouble& trouble);
LauncherTrouble ReadTrouble();
// The launcher's process id, 0 when none runs.
int LauncherPid();
// Wakes the launcher now. Harmless when none runs: it looks around when it starts.
void WakeLauncher();
// Wakes the launcher when, and only if, the current transaction commits.
void WakeLauncherAtCommit();

// Launcher: tells waiting backends that the state of some run has changed.
void AnnounceChange();
// Backend: call before looking at the state; WaitForChange then misses nothing.
void PrepareToWait();
// Waits for AnnounceChange at most `milliseconds`; interruptible.
void WaitForChange(long milliseconds);
// Ends a series of waits.
void FinishWaiting();

// Launcher: publishes (by run_id) or removes the progress of a run.
void PublishProgress(const RunProgress& progress);
void ClearProgress(int64 run_id);
void ClearAllProgress();
// Copies the progress of one run; false when it has none.
bool FindProgress(int64 run_id, RunProgress* progress);
// Copies that of all runs into an array of kMaxProgress, returns how many there are.
int ReadProgress(RunProgress* progress);

}  // namespace pgbackup
