#include "core/process/tool_error.h"

#include <fmt/format.h>

#include <string_view>

namespace pgbackup {
namespace {

// The first line that calls itself an error, without the program's name; else the last line.
std::string_view EssentialLine(std::string_view tail) {
  constexpr std::string_view kMarkers[] = {"error: ", "FATAL:  ", "ERROR:  ", "fatal: "};
  std::string_view last;
  while (!tail.empty()) {
    const size_t newline = tail.find('\n');
    const std::string_view line = tail.substr(0, newline);
    for (const std::string_view marker : kMarkers) {
      const size_t at = line.find(marker);
      if (at != std::string_view::npos) return line.substr(at + marker.size());
    }
    if (!line.empty()) last = line;
    tail.remove_prefix(newline == std::string_view::npos ? tail.size() : newline + 1);
  }
  return last;
}

}  // namespace

Error ToolError(const std::string& program, const std::string& what, const ExitStatus& status,
                const std::string& error_tail) {
  std::string message = fmt::format("{} of {} {}", program, what, status.InWords());
  const std::string_view line = EssentialLine(error_tail);
  if (!line.empty()) message += fmt::format(": {}", line);
  return Error(ErrorKind::kTool, std::move(message), error_tail);
}

}  // namespace pgbackup
