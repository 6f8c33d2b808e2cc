// The agents that are running now: serving their pipes, ending them, recording how they ended.
//
// A fixed table in the launcher's memory. The launcher's loop asks it what to wait for.
#pragma once

#include "pg/agent_process.h"

namespace pgbackup {

inline constexpr int kMaxAgents = 21;

// How many agents of a kind run.
int CountAgents(JobKind kind);

// Whether some agent has ended whose end could not be recorded yet.
bool HasUnrecordedEnd();

// Whether some agent has told how its run ended, and nothing of it is recorded yet.
bool HasToldEnd();

// Whether another agent can be started at all.
bool HasFreeSlot();

// Starts an agent for a job whose row says in_progress; on failure records it.
void Launch(JobKind kind, int64 run_id, const char* database, const char* json);

// Reads what agents said, enforces ends that are due, records the outcome of those that ended.
// Returns true when one ended, so that there may be room for the next job.
bool ServeAgents();

// Asks the agent of a run to end because role `by` cancelled it. No effect when there is none.
void CancelRun(int64 run_id, const char* by);

// Asks all agents to end: the extension is gone, or the launcher is.
void StopAllAgents(StopReason reason);

// Of two times the earlier one, where 0 means never.
inline void KeepEarliest(TimestampTz* earliest, TimestampTz candidate) {
  if (candidate != 0 && (*earliest == 0 || candidate < *earliest)) *earliest = candidate;
}

// Adds the pipes to a wait set, returns the earliest time anything is due (0: nothing is).
int CountAgentPipes();
void AddAgentPipes(WaitEventSet* events);
TimestampTz NextAgentTime();

}  // namespace pgbackup
