#include "core/base/utc_time.h"

#include <algorithm>
#include <chrono>

namespace pgbackup {

std::optional<WallTime> UtcTime(int year, int month, int day, int hour, int minute,
                                int second) noexcept {
  if (year < 1970 || year > 9999 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (month < 1 || month > 12 || day < 1 || day > 31 || !date.ok()) return std::nullopt;
  const std::chrono::seconds since = std::chrono::sys_days(date).time_since_epoch() +
                                     std::chrono::hours(hour) + std::chrono::minutes(minute) +
                                     std::chrono::seconds(second);
  // In seconds: a late year has more nanoseconds than fit.
  constexpr auto kLatest =
      std::chrono::duration_cast<std::chrono::seconds>(kLatestTime.time_since_epoch());
  return WallTime(std::min(since, kLatest));
}

}  // namespace pgbackup
