// The failure of a PostgreSQL program as an Error.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/process/child_process.h"

namespace pgbackup {

// kBusy when a dump could not have its locks in time, or was ended by the recovery of the standby
// that it read. Else kTool; the message names the program, what it worked on, how it ended and its
// own error line, e.g. "pg_dump of schema.dump exited with status 1: query failed: …"; the detail
// is its tail. Both without the values of rows (core/postgres/row_values.h).
Error ToolError(const std::string& program, const std::string& what, const ExitStatus& status,
                const std::string& error_tail);

}  // namespace pgbackup
