#include "cli/progress_display.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/console.h"
#include "cli/printable.h"
#include "core/base/environment.h"

namespace pgbackup {
namespace {

constexpr size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kInterval{200};

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

std::string SizeInWords(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  const char* unit = "kB";
  for (const char* next : {"MB", "GB", "TB", "PB"}) {
    if (size < 1000) break;
    size /= 1024;
    unit = next;
  }
  return fmt::format("{:.{}f} {}", size, size < 10 ? 1 : 0, unit);
}

std::string ProgressLine(const Progress& progress, double seconds, size_t width) {
  const uint64_t done = progress.raw_bytes.load(), total = progress.total_bytes.load();
  std::string line = progress.phase();
  if (total > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto filled = static_cast<size_t>(part * static_cast<double>(kBarWidth));
    line += fmt::format("  [{}{}] {:3.0f} %", std::string(filled, '#'),
                        std::string(kBarWidth - filled, '.'), 100 * part);
  }
  if (done > 0) {
    line += fmt::format("  {}", SizeInWords(done));
    if (total > 0) line += fmt::format(" of {}", SizeInWords(total));
  }
  if (done > 0 && seconds >= 1)
    line += fmt::format(", {}/s",
                        SizeInWords(static_cast<uint64_t>(static_cast<double>(done) / seconds)));
  if (const auto tables = progress.tables.Now(); tables && tables->total > 0)
    line += fmt::format(", {} of {} tables", tables->done, tables->total);
  return line.substr(0, width > 0 ? width - 1 : 0);
}

ProgressDisplay::ProgressDisplay(const Progress& progress, bool shown)
    : progress_(progress), on_terminal_(isatty(STDERR_FILENO) == 1) {
  if (shown) thread_ = std::thread([this] { Run(); });
}

ProgressDisplay::~ProgressDisplay() {
  stop_.Cancel();
  if (thread_.joinable()) thread_.join();
  Clear();
}

void ProgressDisplay::Say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  Clear();
  PrintRemark(line);
}

void ProgressDisplay::Clear() {
  if (line_is_there_) std::fputs("\r\033[K", stderr);
  line_is_there_ = false;
}

void ProgressDisplay::Show(double seconds) {
  const std::lock_guard lock(mutex_);
  const std::string phase = progress_.phase();
  if (on_terminal_) {
    Clear();
    const std::string line = ProgressLine(progress_, seconds, TerminalWidth());
    std::fputs(PrintableInLine(line).c_str(), stderr);
    line_is_there_ = true;
  } else if (phase != last_phase_) {
    PrintRemark(phase);
    last_phase_ = phase;
  }
}

// How long the bytes have been flowing; none before they do.
std::optional<double> ProgressDisplay::SecondsOfData(const Environment& environment) const {
  const Progress::DataPhase data = progress_.data();
  if (!data.began) return std::nullopt;
  return std::chrono::duration<double>(data.ended.value_or(environment.Now()) - *data.began)
      .count();
}

void ProgressDisplay::Run() {
  const auto environment = SystemEnvironment();
  const SteadyTime begin = environment->SteadyNow();
  while (!stop_.IsCancelled()) {
    Show(SecondsOfData(*environment)
             .value_or(std::chrono::duration<double>(environment->SteadyNow() - begin).count()));
    environment->Sleep(kInterval, stop_);
  }
}

}  // namespace pgbackup
