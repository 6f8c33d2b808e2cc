#include "agent/event_writer.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/environment.h"
#include "core/job/events.h"

namespace pgbackup {
namespace {

constexpr std::chrono::seconds kSignOfLife{15};

}  // namespace

EventWriter::EventWriter(int fd, const Progress& progress)
    : fd_(fd), progress_(progress), thread_([this] { ReportProgress(); }) {}

EventWriter::~EventWriter() {
  stop_.Cancel();
  thread_.join();
}

void EventWriter::WriteLine(const std::string& event) {
  const std::string line = event + "\n";
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = write(fd_, line.data() + done, line.size() - done);
    if (written < 0 && errno != EINTR) return;
    if (written > 0) done += static_cast<size_t>(written);
  }
}

void EventWriter::Write(const std::string& event) {
  const std::lock_guard lock(mutex_);
  if (!finished_) WriteLine(event);
}

void EventWriter::Finish(const std::string& event) {
  const std::lock_guard lock(mutex_);
  if (!finished_) WriteLine(event);
  finished_ = true;
}

void EventWriter::ReportProgress() {
  const auto environment = SystemEnvironment();
  std::string last;
  auto sign = progress_.sign_of_life();
  SteadyTime moved = environment->SteadyNow();
  SteadyTime written = moved;
  while (!stop_.IsCancelled()) {
    std::string event = ProgressEvent(progress_);
    const SteadyTime now = environment->SteadyNow();
    if (const auto sign_now = progress_.sign_of_life(); sign_now != sign) {
      sign = sign_now;
      moved = now;
    }
    if (event != last || now - written >= kSignOfLife) {
      const auto idle = std::chrono::duration_cast<std::chrono::seconds>(now - moved);
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      WriteLine(ProgressEvent(progress_, idle));
      last = std::move(event);
      written = now;
    }
    environment->Sleep(std::chrono::milliseconds(250), stop_);
  }
}

}  // namespace pgbackup
