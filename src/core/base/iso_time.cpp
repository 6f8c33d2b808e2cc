#include "core/base/iso_time.h"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace pgbackup {
namespace {

// Reads exactly `digits` digits and `after`, if that is not 0.
bool TakeNumber(std::string_view* text, size_t digits, char after, int* number) {
  const size_t length = digits + (after != '\0' ? 1 : 0);
  if (text->size() < length || (after != '\0' && (*text)[digits] != after)) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + digits, *number);
  if (error != std::errc() || end != text->data() + digits || *number < 0) return false;
  text->remove_prefix(length);
  return true;
}

}  // namespace

std::optional<WallTime> ParseIsoTime(std::string_view text) {
  tm utc{};
  if (!TakeNumber(&text, 4, '-', &utc.tm_year) || !TakeNumber(&text, 2, '-', &utc.tm_mon) ||
      !TakeNumber(&text, 2, 'T', &utc.tm_mday) || !TakeNumber(&text, 2, ':', &utc.tm_hour) ||
      !TakeNumber(&text, 2, ':', &utc.tm_min) || !TakeNumber(&text, 2, '\0', &utc.tm_sec))
    return std::nullopt;
  if (utc.tm_year < 1970 || utc.tm_mon < 1 || utc.tm_mon > 12 || utc.tm_mday < 1 ||
      utc.tm_mday > 31 || utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60)
    return std::nullopt;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  }
  std::chrono::seconds offset{0};
  if (text != "Z") {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    int hours = 0, minutes = 0;
    text.remove_prefix(1);
    if (!TakeNumber(&text, 2, text.size() == 5 ? ':' : '\0', &hours) ||
        !TakeNumber(&text, 2, '\0', &minutes) || !text.empty())
      return std::nullopt;
    offset = sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
  }
  // Nanoseconds in 64 bits end in 2262; whoever says "never" by a later year gets that.
  constexpr time_t kLatest = 9'200'000'000;
  return WallTime(std::chrono::seconds(std::min(timegm(&utc), kLatest)) - offset);
}

}  // namespace pgbackup
