// The lines an agent writes on standard output: docs/job-protocol.md. Without the newline.
#pragma once

#include <chrono>
#include <string>

#include "core/job/run_context.h"
#include "core/progress/progress.h"

namespace pgbackup {

// message, detail, hint, sqlstate and kind of an error, as events hold them.
boost::json::object ErrorFields(const Error& error);

// clock_skew and credentials_expire_at, as far as they are known.
boost::json::object SignFields(const StorageSigns& signs);

// `idle`: since when the run was last seen to come further or to work.
std::string ProgressEvent(const Progress& progress, std::chrono::seconds idle = {});

// "stored": a backup is complete, its copies are not.
std::string StoredEvent(const boost::json::object& fields);

// "completed", "failed" or "cancelled".
std::string FinalEvent(const RunOutcome& outcome);

// 0 completed, else 1: a server that is the first process of a container adopts agents whose
// launcher has ended, and takes any other status for the crash of a session.
int ExitCodeOf(const RunOutcome& outcome) noexcept;

}  // namespace pgbackup
