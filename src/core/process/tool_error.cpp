#include "core/process/tool_error.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <string_view>

#include "core/postgres/recovery_conflict.h"
#include "core/postgres/row_values.h"

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

constexpr const char* kLockHint =
    "Run it when no other session holds such a lock, or raise pgbackup.lock_wait_timeout.";

// pg_dump has no other timeout than that of --lock-wait-timeout.
bool IsLockTimeout(std::string_view program, std::string_view line) {
  return program == "pg_dump" &&
         line.find("canceling statement due to statement timeout") != std::string_view::npos;
}

// What to do about the troubles that come up most.
std::string HintFor(const ExitStatus& status, std::string_view line) {
  const auto says = [line](std::string_view words) {
    return line.find(words) != std::string_view::npos;
  };
  if (WIFSIGNALED(status.wait_status))
    return "Look in the system's log for what killed it (for example the out-of-memory killer), "
           "then start the run again.";
  if (says("lock timeout") || says("could not obtain lock")) return kLockHint;
  if (says("permission denied"))
    return "The role that dumps and restores must be allowed to: it is the extension's owner "
           "unless pgbackup.dump_conninfo names another.";
  if (says("role \"") && says("does not exist"))
    return "Create the role first: the backup's globals.sql holds all roles of its cluster.";
  if (says("server closed the connection") || says("terminating connection") ||
      says("connection to server"))
    return "The server's log says why it ended the session; then start the run again.";
  if (says("max_locks_per_transaction") || says("out of shared memory"))
    return "Raise max_locks_per_transaction and restart the server: a dump locks every table.";
  return "";
}

}  // namespace

Error ToolError(const std::string& program, const std::string& what, const ExitStatus& status,
                const std::string& raw_tail) {
  const std::string error_tail = LinesWithoutRowValues(raw_tail);
  const std::string_view line = EssentialLine(error_tail);
  if (IsLockTimeout(program, line))
    return Error(ErrorKind::kBusy,
                 fmt::format("{} of {} could not lock its tables in time", program, what),
                 error_tail, kLockHint);
  if (IsRecoveryConflict(line))
    return RecoveryConflict(fmt::format("{} of {}", program, what), error_tail);
  std::string message = fmt::format("{} of {} {}", program, what, status.InWords());
  if (!line.empty()) message += fmt::format(": {}", line);
  return Error(ErrorKind::kTool, std::move(message), error_tail, HintFor(status, line));
}

}  // namespace pgbackup
