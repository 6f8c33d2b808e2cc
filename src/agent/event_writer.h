// Writes the events of one job to a descriptor: progress now and then, one last event at the end.
//
// Thread-safe. A reader that has gone is nobody's failure: the end of standard input says so too.
#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "core/base/cancellation.h"
#include "core/progress/progress.h"

namespace pgbackup {

class EventWriter {
 public:
  // Reports `progress`, when it has changed, at most four times a second, and else now and then, to
  // show that the agent is there and how long it has come no further.
  EventWriter(int fd, const Progress& progress);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Writes an event that is not the last one; nothing after that.
  void Write(const std::string& event);

  // Writes the last event; only the first call writes anything.
  void Finish(const std::string& event);

 private:
  void ReportProgress();
  void WriteLine(const std::string& event);  // with mutex_ held

  int fd_;
  const Progress& progress_;
  std::mutex mutex_;
  bool finished_ = false;
  Cancellation stop_;
  std::thread thread_;
};

}  // namespace pgbackup
