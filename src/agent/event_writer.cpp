#include "agent/event_writer.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/environment.h"
#include "core/run/events.h"

namespace pgbackup {

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
  while (!stop_.IsCancelled()) {
    std::string event = ProgressEvent(progress_);
    if (event != last) {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      WriteLine(event);
      last = std::move(event);
    }
    environment->Sleep(std::chrono::milliseconds(250), stop_);
  }
}

}  // namespace pgbackup
