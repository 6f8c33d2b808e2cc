#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "pg/abandoned_agents.h"
#include "pg/agent_process.h"

namespace pgbackup {
namespace {

constexpr int kMaxLine = 256 * 1024 * 1024;  // a manifest is one line
constexpr int kMaxJob = 1024 * 1024;         // what a pipe holds without a reader
constexpr int kGraceMs = 12000;              // the agent cleans up within ten seconds
constexpr int kTermGraceMs = 1000;
constexpr int kKillGraceMs = 1000;  // then its process is abandoned
constexpr int kExitGraceMs = 1500;  // from the last line of a stopped agent to its exit
constexpr int kUnstoppedExitGraceMs = 60000;
constexpr int kPipeGraceMs = 2000;  // from its exit to the end of its pipes

constexpr int kTermSent = 1;  // as a number of stop_signals

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

bool OpenPipe(Pipe* made) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  made->read_end = ends[0];
  made->write_end = ends[1];
  return true;
}

void CloseFd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void ClosePipe(Pipe* both) {
  CloseFd(&both->read_end);
  CloseFd(&both->write_end);
}

// Whether a variable of the server's environment is passed on: what finding programs, password
// files and S3 credentials needs, nothing else.
bool IsPassedOn(const char* variable) {
  for (const char* prefix : {"AWS_", "PATH=", "HOME=", "TZ=", "PGPASSFILE=", "PGSYSCONFDIR="})
    if (strncmp(variable, prefix, strlen(prefix)) == 0) return true;
  return false;
}

// An environment for the agent, palloc'd.
char** AgentEnvironment() {
  int count = 0;
  for (char** variable = environ; *variable != nullptr; ++variable) ++count;
  char** result = static_cast<char**>(palloc((count + 2) * sizeof(char*)));
  int used = 0;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (IsPassedOn(*variable)) result[used++] = *variable;
  static char locale[] = "LC_ALL=C";
  result[used++] = locale;
  result[used] = nullptr;
  return result;
}

// The executable is installed beside the server's own.
void AgentPath(char (&path)[MAXPGPATH]) {
  strlcpy(path, my_exec_path, MAXPGPATH);
  get_parent_directory(path);
  join_path_components(path, path, "pgbackup");
}

// Clean signal mask and dispositions, a process group of its own, no inherited descriptor.
int Spawn(pid_t* pid, const char* path, const Pipe& in, const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  static char name[] = "pgbackup";
  static char verb[] = "agent";
  char* argv[] = {name, verb, nullptr};
  char** environment = AgentEnvironment();
  const int error = posix_spawn(pid, path, &actions, &attributes, argv, environment);
  pfree(environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Writes the job. The pipe is empty and made large enough, so this never blocks.
bool SendJob(int fd, const char* job) {
  const size_t length = strlen(job);
  if (length + 1 > 65536 && fcntl(fd, F_SETPIPE_SZ, kMaxJob) < 0) return false;
  return write(fd, job, length) == static_cast<ssize_t>(length) && write(fd, "\n", 1) == 1;
}

// Does not block: an agent that has not even read its job goes without.
void TellWhy(int fd, const char* why) {
  char line[200];
  const int length = snprintf(line, sizeof line, "%s\n", why);
  if (fd < 0 || length >= static_cast<int>(sizeof line)) return;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  if (write(fd, line, static_cast<size_t>(length)) != length)
    elog(DEBUG1, "pgbackup: an agent could not be told why it has to end");
}

void ResetAgent(Agent* agent) {
  memset(agent, 0, sizeof *agent);
  agent->stdin_fd = agent->stdout_fd = agent->stderr_fd = -1;
}

void DrainPipe(Agent* agent, int* fd, StringInfo pending, void (*on_line)(Agent*, const char*)) {
  char chunk[16384];
  while (*fd >= 0) {
    const ssize_t got = read(*fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) {
      CloseFd(fd);
      if (pending->len > 0) on_line(agent, pending->data);
      resetStringInfo(pending);
      return;
    }
    if (pending->len + got > kMaxLine) {
      resetStringInfo(pending);
      StopAgent(agent, StopReason::kMisbehaved);
      continue;
    }
    const char* rest = chunk;
    const char* end = chunk + got;
    while (const char* newline =
               static_cast<const char*>(memchr(rest, '\n', static_cast<size_t>(end - rest)))) {
      appendBinaryStringInfo(pending, rest, static_cast<int>(newline - rest));
      on_line(agent, pending->data);
      resetStringInfo(pending);
      rest = newline + 1;
    }
    appendBinaryStringInfo(pending, rest, static_cast<int>(end - rest));
  }
}

}  // namespace

const char* StartAgent(Agent* agent, JobKind kind, int64 run_id, const char* job) {
  ResetAgent(agent);
  if (strlen(job) + 1 > kMaxJob) return "the options of the run are longer than one megabyte";
  char path[MAXPGPATH];
  AgentPath(path);
  Pipe in;
  Pipe out;
  Pipe err;
  int error = 0;
  if (!OpenPipe(&in) || !OpenPipe(&out) || !OpenPipe(&err) || !SendJob(in.write_end, job)) {
    error = errno;
  } else {
    error = Spawn(&agent->pid, path, in, out, err);
  }
  CloseFd(&in.read_end);
  CloseFd(&out.write_end);
  CloseFd(&err.write_end);
  if (error != 0) {
    ClosePipe(&in);
    ClosePipe(&out);
    ClosePipe(&err);
    agent->pid = 0;
    return psprintf("could not start \"%s\": %s", path, strerror(error));
  }
  fcntl(out.read_end, F_SETFL, O_NONBLOCK);
  fcntl(err.read_end, F_SETFL, O_NONBLOCK);
  agent->kind = kind;
  agent->run_id = run_id;
  agent->stdin_fd = in.write_end;
  agent->stdout_fd = out.read_end;
  agent->stderr_fd = err.read_end;
  agent->started_at = GetCurrentTimestamp();
  agent->context =
      AllocSetContextCreate(TopMemoryContext, "pgbackup agent", ALLOCSET_DEFAULT_SIZES);
  MemoryContext before = MemoryContextSwitchTo(agent->context);
  initStringInfo(&agent->out);
  initStringInfo(&agent->err);
  MemoryContextSwitchTo(before);
  return nullptr;
}

void DrainAgent(Agent* agent, void (*on_line)(Agent*, const char*),
                void (*on_log)(Agent*, const char*)) {
  DrainPipe(agent, &agent->stdout_fd, &agent->out, on_line);
  DrainPipe(agent, &agent->stderr_fd, &agent->err, on_log);
}

bool HasEnded(Agent* agent) {
  const TimestampTz now = GetCurrentTimestamp();
  const bool is_overdue = agent->give_up_at != 0 && now >= agent->give_up_at;
  if (!agent->exited && ReapLeader(agent->pid, &agent->wait_status)) {
    agent->exited = true;
    agent->give_up_at = TimestampTzPlusMilliseconds(now, kPipeGraceMs);
    CloseFd(&agent->stdin_fd);
  } else if (is_overdue) {
    if (!agent->exited) {
      AbandonAgent(agent->pid);
      agent->exited = true;
      agent->wait_status = SIGKILL;
    }
    CloseFd(&agent->stdout_fd);
    CloseFd(&agent->stderr_fd);
  }
  return agent->exited && agent->stdout_fd < 0 && agent->stderr_fd < 0;
}

void StopAgent(Agent* agent, StopReason reason, const char* why) {
  if (agent->stop_reason != StopReason::kNone) return;
  agent->stop_reason = reason;
  if (why != nullptr) TellWhy(agent->stdin_fd, why);
  agent->next_signal = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kGraceMs);
  CloseFd(&agent->stdin_fd);
}

void StopAgentWithin(Agent* agent, StopReason reason, int grace_ms) {
  StopAgent(agent, reason);
  agent->is_last_line_seen = true;  // or the grace would be that of a last line
  kill(-agent->pid, SIGTERM);
  agent->next_signal = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), grace_ms);
}

void EnforceStop(Agent* agent, TimestampTz now) {
  if (agent->exited) return;
  if (agent->final_event != nullptr && !agent->is_last_line_seen) {
    const bool is_stopped = agent->stop_reason != StopReason::kNone;
    agent->is_last_line_seen = true;
    agent->stop_signals = Max(agent->stop_signals, kTermSent);
    agent->next_signal =
        TimestampTzPlusMilliseconds(now, is_stopped ? kExitGraceMs : kUnstoppedExitGraceMs);
  }
  if (agent->next_signal == 0 || now < agent->next_signal) return;
  if (agent->stop_signals++ == 0) {
    kill(-agent->pid, SIGTERM);
    agent->next_signal = TimestampTzPlusMilliseconds(now, kTermGraceMs);
  } else {
    kill(-agent->pid, SIGKILL);
    agent->next_signal = 0;
    agent->give_up_at = TimestampTzPlusMilliseconds(now, kKillGraceMs);
  }
}

TimestampTz NextStopTime(const Agent& agent) {
  return agent.exited || agent.give_up_at != 0 ? agent.give_up_at : agent.next_signal;
}

bool WasKilledAtExit(const Agent& agent) {
  return agent.final_event != nullptr && agent.stop_reason == StopReason::kNone &&
         agent.stop_signals > kTermSent;
}

void ReleaseAgent(Agent* agent) {
  CloseFd(&agent->stdin_fd);
  CloseFd(&agent->stdout_fd);
  CloseFd(&agent->stderr_fd);
  if (agent->context != nullptr) MemoryContextDelete(agent->context);
  ResetAgent(agent);
}

const char* EndInWords(const Agent* agent) {
  if (WIFSIGNALED(agent->wait_status))
    return psprintf("was killed by signal %d (%s)", WTERMSIG(agent->wait_status),
                    strsignal(WTERMSIG(agent->wait_status)));
  return psprintf("exited with status %d", WEXITSTATUS(agent->wait_status));
}

}  // namespace pgbackup
