// One running agent as the launcher sees it: a process group, three pipes, and what it said.
//
// Nothing here blocks: pipes are non-blocking, and the launcher's loop decides when to look. The
// job protocol is in docs/job-protocol.md.
#pragma once

#include <sys/types.h>

#include "pg/server.h"
#include "pg/shared_state.h"

namespace pgbackup {

enum class JobKind { kBackup, kRestore, kVerify, kCopy, kRemove, kMarks, kWebhook, kMail };

// Why an agent was told to stop.
enum class StopReason { kNone, kCancelled, kTimeout, kSilent, kExtensionDropped, kMisbehaved };

struct Agent {
  JobKind kind;
  int64 run_id;
  NameData database;
  char phase[kMaxPhase];               // that it reported last
  pid_t pid;                           // also the process group; 0 when the slot is free
  int stdin_fd, stdout_fd, stderr_fd;  // -1 when closed
  MemoryContext context;               // holds all that follows; deleted when the slot is freed
  StringInfoData out;                  // incomplete line of stdout
  StringInfoData err;                  // incomplete line of stderr
  char* final_event;                   // the last line: completed, failed or cancelled; or nullptr
  bool is_stored;                      // a backup whose row is completed while copies go on
  bool exited;
  bool is_last_line_seen;  // by EnforceStop
  int wait_status;         // as of waitpid, once exited
  StopReason stop_reason;
  NameData stopped_by;      // role that cancelled
  int stop_signals;         // how far the end was enforced: 0 asked, 1 TERM sent, 2 KILL sent
  TimestampTz next_signal;  // when to enforce it further
  TimestampTz give_up_at;   // when to stop waiting for a killed process, or for its pipes; or 0
  TimestampTz deadline;     // pgbackup.timeout; 0 for none
  TimestampTz started_at;
  int64 heard_at;               // SteadyMicroseconds of its last progress event, or of its start
  TimestampTz retry_record_at;  // when recording the outcome failed: try again then; else 0
};

// Starts the executable with `job` (one JSON object in UTF-8, without line break) on its stdin.
// Returns nullptr on success, else a message (static text or palloc'd) that says what failed.
const char* StartAgent(Agent* agent, JobKind kind, int64 run_id, const char* job);

// Reads what there is on both pipes. Calls on_line for every complete line of stdout, on_log for
// every line of stderr. Does not block.
void DrainAgent(Agent* agent, void (*on_line)(Agent*, const char*),
                void (*on_log)(Agent*, const char*));

// True once the agent has ended and all it said has been read. Reaps it, and ends what is left of
// its process group. An agent that SIGKILL has not ended within a second is abandoned
// (abandoned_agents.h) and counts as ended; so do pipes that another process holds open.
bool HasEnded(Agent* agent);

// Asks the agent to end: closes its stdin. EnforceStop does the rest. With `why`, one line, the run
// has failed of that; else it is cancelled.
void StopAgent(Agent* agent, StopReason reason, const char* why = nullptr);

// Asks the agent to end as StopAgent does and by SIGTERM. EnforceStop sends the second one, at
// which it exits at once, after `grace_ms`.
void StopAgentWithin(Agent* agent, StopReason reason, int grace_ms);

// Sends the next signal when it is due. Call whenever NextStopTime has passed, and after reading.
void EnforceStop(Agent* agent, TimestampTz now);

// When EnforceStop or HasEnded has to be called at the latest; 0 for never.
TimestampTz NextStopTime(const Agent& agent);

// Whether the agent said its last line and was then killed because it did not exit.
bool WasKilledAtExit(const Agent& agent);

// Frees the slot: closes descriptors, deletes the memory.
void ReleaseAgent(Agent* agent);

// The way the agent ended, in words: "exited with status 1", "was killed by signal 9".
const char* EndInWords(const Agent* agent);

}  // namespace pgbackup
