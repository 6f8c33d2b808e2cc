// A date and time of day in UTC, as the texts of others spell it, as a point in time.
#pragma once

#include <optional>

#include "core/base/environment.h"

namespace pgbackup {

// Nanoseconds in 64 bits end in 2262: whoever says "never" by a later time gets this one.
inline constexpr WallTime kLatestTime{std::chrono::seconds{9'200'000'000}};

// `month` and `day` count from 1; second 60 is a leap second and counts as the next minute's first.
// nullopt for what no calendar shows and for years before 1970; at most kLatestTime.
std::optional<WallTime> UtcTime(int year, int month, int day, int hour, int minute,
                                int second) noexcept;

}  // namespace pgbackup
