// Notices that a job shall end: end of file on standard input, SIGTERM, SIGINT or SIGHUP. A line
// before the end of file is the reason.
//
// Then sets the job's Cancellation, and when the job has still not ended after ten seconds, calls
// `overdue`, which does not return. A second signal ends the process at once. At most one at a time
// exists in a process (signal handlers are process-wide). Its own thread takes the signals: the one
// that makes it, and those that are started from there, have them blocked as long as it exists, for
// one of them may itself be blocked in the kernel.
#pragma once

#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/cancellation.h"
#include "core/job/run_context.h"

namespace pgbackup {

class EndWatch {
 public:
  static constexpr std::chrono::milliseconds kPatience{9500};
  static constexpr int kCancelledStatus = 1;  // the process's exit status

  // `input` is watched, and read, until its end; -1 for none. A second signal ends the process with
  // `status`.
  EndWatch(int input, Cancellation& job, std::function<void()> overdue,
           std::chrono::milliseconds patience = kPatience, int status = kCancelledStatus);
  ~EndWatch();
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  // True once somebody has asked for the end.
  bool IsRequested() const noexcept { return requested_.load(); }
  EndRequest request() const { return IsRequested() ? EndRequest{true, reason_} : EndRequest(); }

 private:
  void Run();
  void AwaitRequest();
  void Hear(std::string_view said);

  int input_;
  Cancellation& job_;
  std::function<void()> overdue_;
  const std::chrono::milliseconds patience_;
  std::string heard_;   // of standard input
  std::string reason_;  // not changed any more once requested_
  std::atomic<bool> requested_{false};
  sigset_t signals_before_;  // of the thread that made this
  Cancellation stop_;
  std::thread thread_;
};

}  // namespace pgbackup
