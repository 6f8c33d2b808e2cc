#include "core/process/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr int kPipeSize = 1 << 20;
constexpr auto kGrace = std::chrono::milliseconds(1500);

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Error(ErrorKind::kInternal, fmt::format("could not make a pipe: {}", strerror(errno)));
  fcntl(ends[0], F_SETPIPE_SZ, kPipeSize);  // a smaller pipe is slower, not wrong
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// argv or envp; points into `texts`.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct ChildSetup {
  const char* program;
  char* const* argv;
  char* const* envp;
  int standard[3];
  const int* inherited;
  int inherited_count;
  int report;  // errno of a failed start goes here
  pid_t parent;
  const char* directory;  // nullptr: stay
};

// Runs between fork and exec, where only async-signal-safe calls are allowed.
[[noreturn]] void BecomeProgram(const ChildSetup& setup) {
  const auto fail = [&](int report) {
    const int error = errno;
    [[maybe_unused]] const ssize_t written = write(report, &error, sizeof error);
    _exit(127);
  };
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != setup.parent) _exit(127);

  // Move every source above the targets first, so that no dup2 runs over another one's source.
  constexpr int kAbove = 64;
  const int report = fcntl(setup.report, F_DUPFD_CLOEXEC, kAbove);
  if (report < 0) fail(setup.report);
  int sources[16];
  const int count = 3 + setup.inherited_count;
  for (int i = 0; i < count; ++i) {
    sources[i] = fcntl(i < 3 ? setup.standard[i] : setup.inherited[i - 3], F_DUPFD, kAbove);
    if (sources[i] < 0) fail(report);
  }
  for (int i = 0; i < count; ++i)
    if (dup2(sources[i], i) < 0) fail(report);
  if (dup3(report, count, O_CLOEXEC) < 0) fail(report);
  closefrom(count + 1);

  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (setup.directory != nullptr && chdir(setup.directory) != 0) fail(count);
  execve(setup.program, setup.argv, setup.envp);
  fail(count);
  _exit(127);  // for compilers that do not see that fail does not return
}

}  // namespace

bool ExitStatus::ExitedWith(int status) const noexcept {
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == status;
}

std::string ExitStatus::InWords() const {
  if (WIFEXITED(wait_status)) return fmt::format("exited with status {}", WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const char* name = sigdescr_np(signal);
  return fmt::format("was killed by signal {} ({})", signal, name == nullptr ? "unknown" : name);
}

ChildProcess::ChildProcess(const ChildSpec& spec) {
  std::vector<std::string> arguments = {spec.program};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(spec.environment);
  if (spec.inherited.size() > 8)
    throw Error(ErrorKind::kInternal, "too many descriptors for a child process");

  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  Pipe input, output, errors = MakePipe(), report = MakePipe();
  if (spec.pipe_input) input = MakePipe();
  if (spec.pipe_output) output = MakePipe();
  ChildSetup setup{};
  setup.program = spec.program.c_str();
  setup.argv = argv.data();
  setup.envp = envp.data();
  setup.standard[0] = spec.pipe_input ? input.read.get() : null.get();
  setup.standard[1] = spec.pipe_output ? output.write.get() : null.get();
  setup.standard[2] = errors.write.get();
  setup.inherited = spec.inherited.data();
  setup.inherited_count = static_cast<int>(spec.inherited.size());
  setup.report = report.write.get();
  setup.parent = getpid();
  setup.directory = spec.directory.empty() ? nullptr : spec.directory.c_str();

  // No handler of ours may run in the child: it would act on descriptors shared with us.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = fork();
  const int fork_error = errno;
  if (pid_ == 0) BecomeProgram(setup);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0)
    throw Error(ErrorKind::kInternal,
                fmt::format("could not start \"{}\": {}", spec.program, strerror(fork_error)));

  report.write.Reset();
  int start_error = 0;
  ssize_t got;
  do got = read(report.read.get(), &start_error, sizeof start_error);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    waitpid(pid_, nullptr, 0);
    const bool missing = start_error == ENOENT || start_error == ENOTDIR;
    throw Error(missing ? ErrorKind::kNotFound : ErrorKind::kInternal,
                fmt::format("could not start \"{}\": {}", spec.program, strerror(start_error)), "",
                "Set pgbackup.bin_directory to the folder of PostgreSQL's own programs, as "
                "\"pg_config --bindir\" names it.");
  }
#ifdef SYS_pidfd_open
  pidfd_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
#endif
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  fcntl(errors_.get(), F_SETFL, O_NONBLOCK);
  errors.write.Reset();
  on_error_output_ = spec.on_error_output;
  reader_ = std::thread([this] { ReadErrors(); });
}

ChildProcess::~ChildProcess() {
  Stop();
}

void ChildProcess::ReadErrors() noexcept {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(errors_.get(), buffer, sizeof buffer);
    if (got > 0) {
      const std::string_view text(buffer, static_cast<size_t>(got));
      if (on_error_output_) on_error_output_(text);
      const std::lock_guard lock(tail_mutex_);
      tail_.Append(text);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return;
    } else {
      // A grandchild may keep the pipe open; what the child wrote is read all the same.
      if (ended_.IsCancelled()) return;
      pollfd waiting[] = {{errors_.get(), POLLIN, 0}, {ended_.fd(), POLLIN, 0}};
      poll(waiting, 2, -1);
    }
  }
}

void ChildProcess::JoinReader() noexcept {
  ended_.Cancel();
  if (reader_.joinable()) reader_.join();
}

bool ChildProcess::TryReap() noexcept {
  if (reaped_) return true;
  int status = 0;
  const pid_t pid = waitpid(pid_, &status, WNOHANG);
  if (pid == 0 || (pid < 0 && errno == EINTR)) return false;
  status_.wait_status = pid < 0 ? SIGKILL : status;  // ECHILD: somebody else reaped it
  reaped_ = true;
  JoinReader();
  return true;
}

void ChildProcess::AwaitEnd(int timeout_ms, int wake_fd) const noexcept {
  constexpr int kPollInterval = 20;
  if (!pidfd_) timeout_ms = timeout_ms < 0 ? kPollInterval : std::min(timeout_ms, kPollInterval);
  pollfd waiting[] = {{pidfd_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  poll(waiting, 2, timeout_ms);
}

ExitStatus ChildProcess::Wait(const Cancellation& cancellation) {
  while (!TryReap()) {
    cancellation.ThrowIfCancelled();
    AwaitEnd(-1, cancellation.fd());
  }
  return status_;
}

void ChildProcess::Stop() noexcept {
  input_.Reset();
  output_.Reset();
  if (!TryReap()) {
    kill(pid_, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (!TryReap() && std::chrono::steady_clock::now() < until) AwaitEnd(50, -1);
    if (!reaped_) kill(pid_, SIGKILL);
    while (!TryReap()) AwaitEnd(50, -1);
  }
  JoinReader();
}

std::string ChildProcess::ErrorTail() const {
  const std::lock_guard lock(tail_mutex_);
  return tail_.Text();
}

}  // namespace pgbackup
