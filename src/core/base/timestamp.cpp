#include "core/base/timestamp.h"

#include <fmt/format.h>

#include <ctime>

namespace pgbackup {

std::string FormatTimestamp(WallTime time) {
  using std::chrono::microseconds;
  const int64_t total = std::chrono::floor<microseconds>(time.time_since_epoch()).count();
  const int64_t fraction = ((total % 1000000) + 1000000) % 1000000;
  const time_t seconds = (total - fraction) / 1000000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
}

}  // namespace pgbackup
