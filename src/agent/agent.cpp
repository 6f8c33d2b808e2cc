#include "agent/agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "agent/end_watch.h"
#include "agent/event_writer.h"
#include "agent/job_runner.h"
#include "core/base/error.h"
#include "core/job/events.h"
#include "core/job/job.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxJobSize = 16 << 20;
constexpr int kOrphanGraceMs = 500;
constexpr int kOrphanPollMs = 10;

void Log(const std::string& line) {
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

// Reads up to the first newline and not a byte further: what follows is the EndWatch's.
std::string ReadJobLine() {
  std::string line;
  char c;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error(ErrorKind::kCancelled, "standard input ended before a job came");
    if (c == '\n') return line;
    if (line.size() == kMaxJobSize)
      throw Error(ErrorKind::kInvalid, fmt::format("the job is larger than {} bytes", kMaxJobSize));
    line += c;
  }
}

// Dies with the launcher, is the first to go when memory runs out, and takes nothing from the
// server's PG* variables, which would change what libpq does behind the job's back.
void SettleIn() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (getppid() != parent) raise(SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t written = write(fd, "500", 3);
    close(fd);
  }
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (name.substr(0, 2) == "PG" && name != "PGPASSFILE") names.emplace_back(name);
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

// Ends what the children left behind: they and theirs are all in the agent's process group, and
// children of the agent once they have no other parent. Waits a moment for their end, so that they
// do not become children of another process, which may be a server (see ExitCodeOf).
void EndProcessGroup() {
  if (getpgrp() != getpid()) return;  // started by hand: the group is somebody else's
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  for (int waited = 0; waited < kOrphanGraceMs; waited += kOrphanPollMs) {
    pid_t ended;
    while ((ended = waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (ended < 0) return;  // there are no more
    poll(nullptr, 0, kOrphanPollMs);
  }
}

// Ends all network connections. A thread that is blocked in the kernel keeps the process and its
// descriptors past _exit; a session of the server would keep its snapshot and its locks as long.
void EndConnections() {
  constexpr int kHighest = 4096;
  for (int fd = STDERR_FILENO + 1; fd < kHighest; ++fd) shutdown(fd, SHUT_RDWR);
}

}  // namespace

int RunAgent() {
  SettleIn();
  Progress progress;
  EventWriter events(STDOUT_FILENO, progress);
  Cancellation cancellation;
  RunOutcome outcome;
  try {
    const Job job = ParseJob(ReadJobLine());
    const auto leave = [&events](RunOutcome& overdue) {
      overdue.cleaned = false;
      Log("the job did not end in time and is left where it stands");
      EndProcessGroup();
      events.Finish(FinalEvent(overdue));
      EndConnections();
      // Children are killed by the kernel as their threads end.
      _exit(ExitCodeOf(overdue));
    };
    const EndWatch watch(STDIN_FILENO, cancellation, [&leave] {
      RunOutcome cancelled;
      cancelled.state = RunState::kCancelled;
      leave(cancelled);
    });
    RunSurroundings around;
    around.announce_stored = [&events](const boost::json::object& fields) {
      events.Write(StoredEvent(fields));
    };
    around.log = Log;
    around.end_request = [&watch] { return watch.request(); };
    around.abandon = [&](const Error& error) {
      RunOutcome stalled;
      stalled.state = RunState::kFailed;
      stalled.error = error;
      leave(stalled);
    };
    outcome = RunJob(job, cancellation, progress, around);
    outcome = Ended(std::move(outcome), watch.request());
  } catch (...) {
    outcome = OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
  EndProcessGroup();
  // What a program said, in full, is for the server log: the run's row keeps one sentence.
  if (outcome.state == RunState::kFailed && outcome.error &&
      outcome.error->kind() == ErrorKind::kTool)
    Log(outcome.error->detail());
  events.Finish(FinalEvent(outcome));
  return ExitCodeOf(outcome);
}

}  // namespace pgbackup
