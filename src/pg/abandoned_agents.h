// Agents that SIGKILL did not end: their processes are blocked in the kernel, usually by a file
// system that does not respond, and end when that does. No session and no shutdown of the server
// waits for them.
#pragma once

#include <sys/types.h>

namespace pgbackup {

// If the process `pid`, the leader of its group, has ended: kills what is left of the group, reaps
// the process, sets *wait_status and returns true. Does not block.
bool ReapLeader(pid_t pid, int* wait_status);

// Takes over a process that was killed and has not ended, and logs that.
void AbandonAgent(pid_t pid);

// Reaps the abandoned processes that have ended since. Does not block.
void ReapAbandonedAgents();

// Makes this process the parent of what agents leave behind when they are killed. Else the first
// process of the system is, and where that is the postmaster, as in a container, it takes the end
// of such a process for the crash of a session and restarts the server.
void AdoptOrphans();

// Reaps what was adopted and has ended, and nothing that `is_agent`. Does not block. For a process
// that has no other children.
void ReapOrphans(bool (*is_agent)(pid_t));

}  // namespace pgbackup
