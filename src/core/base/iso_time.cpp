#include "core/base/iso_time.h"

#include <algorithm>

#include "core/base/utc_time.h"

namespace pgbackup {
namespace {

// Reads exactly `digits` digits and `after`, if that is not 0.
bool TakeNumber(std::string_view* text, size_t digits, char after, int* number) {
  const size_t length = digits + (after != '\0' ? 1 : 0);
  if (text->size() < length || (after != '\0' && (*text)[digits] != after)) return false;
  *number = 0;
  for (const char c : text->substr(0, digits)) {
    if (c < '0' || c > '9') return false;
    *number = *number * 10 + (c - '0');
  }
  text->remove_prefix(length);
  return true;
}

}  // namespace

std::optional<WallTime> ParseIsoTime(std::string_view text) {
  int year, month, day, hour, minute, second;
  if (!TakeNumber(&text, 4, '-', &year) || !TakeNumber(&text, 2, '-', &month) ||
      !TakeNumber(&text, 2, 'T', &day) || !TakeNumber(&text, 2, ':', &hour) ||
      !TakeNumber(&text, 2, ':', &minute) || !TakeNumber(&text, 2, '\0', &second))
    return std::nullopt;
  const auto shown = UtcTime(year, month, day, hour, minute, second);
  if (!shown) return std::nullopt;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  }
  if (text == "Z") return shown;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  int hours = 0, minutes = 0;
  text.remove_prefix(1);
  if (!TakeNumber(&text, 2, text.size() == 5 ? ':' : '\0', &hours) ||
      !TakeNumber(&text, 2, '\0', &minutes) || !text.empty())
    return std::nullopt;
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return std::min<WallTime>(*shown - sign * offset, kLatestTime);
}

}  // namespace pgbackup
