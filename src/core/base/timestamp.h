// Points in time as text.
#pragma once

#include <string>

#include "core/base/environment.h"

namespace pgbackup {

// RFC 3339 in UTC with microseconds: "2025-03-30T01:02:03.456789Z".
std::string FormatTimestamp(WallTime time);

}  // namespace pgbackup
