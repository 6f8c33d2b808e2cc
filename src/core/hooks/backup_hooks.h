// What a site wants done before and after a backup: programs, and SQL in the database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// What hooks are told of how the run ended.
struct HookResult {
  std::string status;  // completed, failed or cancelled; empty before the run
  std::string message;
  std::optional<uint64_t> file_size;
};

// The whole environment of a hook, "NAME=value".
std::vector<std::string> HookEnvironment(const BackupJob& job, const HookResult& result,
                                         const Environment& environment);

// The program, then the SQL. Throws kTool or kDatabase when one fails or takes too long.
void RunPreHooks(const BackupJob& job, const RunContext& context);

// The SQL, then the program, both whatever becomes of the other. `cancellation`, which may be
// nullptr, ends them, and `most` is all the time they have. Returns what failed in one sentence,
// empty for nothing.
std::string RunPostHooks(const BackupJob& job, const HookResult& result, const RunContext& context,
                         const Cancellation* cancellation,
                         std::optional<std::chrono::milliseconds> most = std::nullopt) noexcept;

}  // namespace pgbackup
