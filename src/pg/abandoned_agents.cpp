#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "pg/abandoned_agents.h"
#include "pg/server.h"

namespace pgbackup {
namespace {

List* abandoned = NIL;  // of process ids, in TopMemoryContext

}  // namespace

bool ReapLeader(pid_t pid, int* wait_status) {
  siginfo_t info;
  info.si_pid = 0;
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno != ECHILD) return false;
    *wait_status = SIGKILL;  // something else in this process has reaped it
    return true;
  }
  if (info.si_pid == 0) return false;
  // The process id cannot be reused before the leader is reaped.
  kill(-pid, SIGKILL);
  return waitpid(pid, wait_status, WNOHANG) == pid;
}

void AbandonAgent(pid_t pid) {
  ereport(LOG, (errmsg("pgbackup agent with PID %d could not be killed", static_cast<int>(pid)),
                errdetail("It is blocked in the kernel, usually by a file system that does not "
                          "respond, and ends when that responds again.")));
  MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
  abandoned = lappend_int(abandoned, static_cast<int>(pid));
  MemoryContextSwitchTo(before);
}

void ReapAbandonedAgents() {
  ListCell* cell;
  foreach (cell, abandoned) {
    int wait_status;
    if (ReapLeader(lfirst_int(cell), &wait_status))
      abandoned = foreach_delete_current(abandoned, cell);
  }
}

void AdoptOrphans() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void ReapOrphans(bool (*is_agent)(pid_t)) {
  for (;;) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    // That one has ended just now, and SIGCHLD brings us back.
    if (is_agent(info.si_pid) || list_member_int(abandoned, info.si_pid)) return;
    waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

}  // namespace pgbackup
