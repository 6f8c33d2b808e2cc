// A program started by argv, never through a shell, with pipes to it.
//
// The child gets exactly the environment it is given, default signal dispositions, an empty signal
// mask, and no descriptor but the ones asked for. It stays in the agent's process group and is
// killed by the kernel when the THREAD that started it ends, so that thread must outlive it; the
// threads that run lanes do. Its standard error is collected in the background.
//
// One thread at a time. The destructor kills what still runs, and reaps it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/unique_fd.h"
#include "core/process/line_tail.h"

namespace pgbackup {

struct ChildSpec {
  std::string program;                   // path
  std::vector<std::string> arguments;    // without the program's own name
  std::vector<std::string> environment;  // "NAME=value", complete
  bool pipe_input = false;               // else /dev/null
  bool pipe_output = false;              // else /dev/null
  std::string directory;                 // to run in; empty: this program's own
  std::vector<int> inherited;            // become descriptors 3, 4, … of the child
  // Gets everything it writes to standard error, in pieces, on a thread of its own, until Wait has
  // returned its end. Throws nothing.
  std::function<void(std::string_view)> on_error_output = {};
};

struct ExitStatus {
  int wait_status = 0;  // as waitpid(2) gives it
  bool Succeeded() const noexcept { return ExitedWith(0); }
  bool ExitedWith(int status) const noexcept;
  // "exited with status 1", "was killed by signal 9 (Killed)"
  std::string InWords() const;
};

class ChildProcess {
 public:
  // Throws kNotFound when there is no such program, kInternal when it cannot be started.
  explicit ChildProcess(const ChildSpec& spec);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }
  int output() const noexcept { return output_.get(); }  // to read from
  UniqueFd TakeInput() noexcept { return std::move(input_); }

  // Waits for its end; throws kCancelled when `cancellation` is set first. May be called again.
  ExitStatus Wait(const Cancellation& cancellation);

  // SIGTERM, a short grace, SIGKILL; returns when the child is reaped.
  void Stop() noexcept;

  // The last lines it wrote to standard error so far; all of them once Wait has returned.
  std::string ErrorTail() const;

 private:
  bool TryReap() noexcept;
  void AwaitEnd(int timeout_ms, int wake_fd) const noexcept;
  void JoinReader() noexcept;
  void ReadErrors() noexcept;

  pid_t pid_ = -1;
  bool reaped_ = false;
  ExitStatus status_;
  UniqueFd pidfd_;  // invalid on kernels without pidfd_open: then the child's end is polled for
  UniqueFd input_, output_, errors_;
  Cancellation ended_;  // tells the reader thread that no more will come
  std::function<void(std::string_view)> on_error_output_;
  mutable std::mutex tail_mutex_;
  LineTail tail_;
  std::thread reader_;
};

}  // namespace pgbackup
