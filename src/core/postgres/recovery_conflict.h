// Sessions of a standby that its recovery ends, because they still see what it has to remove.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace pgbackup {

// Whether a message of the server, or of a program that repeats it, says that it was one.
bool IsRecoveryConflict(std::string_view message) noexcept;

// kBusy: worth a retry. `who` was ended, "pg_dump of data-1".
Error RecoveryConflict(std::string_view who, std::string detail);

}  // namespace pgbackup
