// Numbers for runs that no server counts.
#pragma once

#include <cstdint>

#include "core/base/environment.h"

namespace pgbackup {

// Ids of the command line are this large or larger, those of a server's sequence are not:
// milliseconds since 1970, the last three digits drawn at random.
inline constexpr int64_t kFirstOwnId = 1'000'000'000'000;

int64_t NewRunId(Environment& environment);

}  // namespace pgbackup
