#include "agent/end_watch.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/environment.h"

namespace pgbackup {
namespace {

// Set by the first signal. Never destroyed: a signal may come at any time.
Cancellation& Signalled() {
  static Cancellation* signalled = new Cancellation;
  return *signalled;
}

std::atomic<int> status_of_impatience{EndWatch::kCancelledStatus};

void OnSignal(int) {
  const int saved = errno;
  if (Signalled().IsCancelled()) _exit(status_of_impatience.load());
  Signalled().Cancel();
  errno = saved;
}

}  // namespace

EndWatch::EndWatch(int input, Cancellation& job, std::function<void()> overdue,
                   std::chrono::milliseconds patience, int status)
    : input_(input), job_(job), overdue_(std::move(overdue)), patience_(patience) {
  Signalled();  // made before a handler can run
  status_of_impatience.store(status);
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  struct sigaction hangup = {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // not under nohup
  thread_ = std::thread([this] { Run(); });
  sigset_t requests;
  sigemptyset(&requests);
  for (const int request : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&requests, request);
  pthread_sigmask(SIG_BLOCK, &requests, &signals_before_);
}

EndWatch::~EndWatch() {
  stop_.Cancel();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

void EndWatch::Hear(std::string_view said) {
  constexpr size_t kLongest = 1000;
  heard_ += said.substr(0, kLongest - std::min(kLongest, heard_.size()));
  const size_t end = heard_.find('\n');
  if (end != std::string::npos) reason_ = heard_.substr(0, end);
}

void EndWatch::AwaitRequest() {
  char said[4096];
  while (!stop_.IsCancelled() && !Signalled().IsCancelled()) {
    pollfd waiting[] = {
        {input_, POLLIN, 0}, {Signalled().fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    if (poll(waiting, 3, -1) < 0 || waiting[0].revents == 0) continue;
    const ssize_t got = read(input_, said, sizeof said);
    if (got > 0) Hear({said, static_cast<size_t>(got)});
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return;
  }
}

void EndWatch::Run() {
  AwaitRequest();
  if (stop_.IsCancelled()) return;
  requested_.store(true);
  job_.Cancel();
  SystemEnvironment()->Sleep(patience_, stop_);
  if (!stop_.IsCancelled()) overdue_();
}

}  // namespace pgbackup
