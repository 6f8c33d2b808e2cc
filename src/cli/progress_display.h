// Shows on standard error how far a run is.
//
// On a terminal one line that is written over and over and disappears at the end, otherwise a line
// for each phase. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/progress/progress.h"

namespace pgbackup {

class ProgressDisplay {
 public:
  // Shows nothing by itself unless `shown`. `progress` outlives it.
  ProgressDisplay(const Progress& progress, bool shown);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Writes a line that stays.
  void Say(const std::string& line);

 private:
  void Run();
  std::optional<double> SecondsOfData(const Environment& environment) const;
  void Show(double seconds);
  void Clear();

  const Progress& progress_;
  const bool on_terminal_;
  std::mutex mutex_;
  std::string last_phase_;
  bool line_is_there_ = false;
  Cancellation stop_;
  std::thread thread_;
};

// The line for a terminal that is `width` wide: the phase, and when it is known how much there is,
// a bar, the bytes and the tables. `seconds` since the bytes began to flow.
std::string ProgressLine(const Progress& progress, double seconds, size_t width);

// "1.4 GB", as pg_size_pretty counts: 1 kB is 1024 bytes.
std::string SizeInWords(uint64_t bytes);

}  // namespace pgbackup
