#include <limits>

#include "shared/cron/cron.h"
#include "shared/floor_div.h"

// Wall clock readings are counted like Unix time, in seconds since 1970-01-01 00:00 of the zone's
// own clock: `local = unix + offset`. A run is found in two steps: the calendar gives the next
// matching reading, the zone the instant at which the clock shows it.

namespace pgbackup {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
constexpr int64_t kSecondsPerMinute = 60, kSecondsPerHour = 3600, kSecondsPerDay = 86400;
constexpr int64_t kHorizonDays = 9LL * 366;

// No clock differs from UTC by more, and none was ever moved by more (Manila and Apia: 24 hours).
constexpr int64_t kLargestShift = 30 * kSecondsPerHour;

// Two changes of a zone's offset are never closer than this.
constexpr int64_t kProbe = 6 * kSecondsPerHour;

// Beyond this (some 300,000 years) no calendar is searched: additions below cannot overflow.
constexpr int64_t kLargestTime = int64_t{10'000'000'000'000};

// --- the calendar ---------------------------------------------------------------------------

struct Month {
  int64_t year;
  int month;  // 1-12
};

// Days since 1970-01-01 of the first of a month (Hinnant, "chrono-compatible low-level date
// algorithms", days_from_civil).
int64_t FirstDay(Month m) {
  const int64_t year = m.month <= 2 ? m.year - 1 : m.year;
  const int64_t era = FloorDiv(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (m.month > 2 ? m.month - 3 : m.month + 9) + 2) / 5;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

// The month a day belongs to (same source, civil_from_days).
Month MonthOf(int64_t day) {
  const int64_t shifted = day + 719468;
  const int64_t era = FloorDiv(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month};
}

Month After(Month m) {
  return m.month == 12 ? Month{m.year + 1, 1} : Month{m.year, m.month + 1};
}

// The days of a month on which the expression runs: bit n stands for first_day + n.
uint32_t MatchingDays(const CronExpression& cron, Month m, int64_t first_day) {
  if ((cron.months >> m.month & 1) == 0) return 0;
  const int length = static_cast<int>(FirstDay(After(m)) - first_day);
  const int first_weekday = static_cast<int>(first_day + 4 - FloorDiv(first_day + 4, 7) * 7);
  uint32_t days = 0;
  for (int i = 0; i < length; ++i) {
    const bool by_date =
        (cron.days_of_month >> (i + 1) & 1) != 0 || (cron.last_day_of_month && i + 1 == length);
    const bool by_weekday = (cron.days_of_week >> ((first_weekday + i) % 7) & 1) != 0;
    const bool either = !cron.any_day_of_month && !cron.any_day_of_week;
    if (either ? by_date || by_weekday : by_date && by_weekday) days |= uint32_t{1} << i;
  }
  return days;
}

// The first matching day at or after `day`, or kNone.
int64_t NextDay(const CronExpression& cron, int64_t day) {
  const int64_t limit = day + kHorizonDays;
  for (Month m = MonthOf(day); FirstDay(m) <= limit; m = After(m)) {
    const int64_t first = FirstDay(m);
    uint32_t days = MatchingDays(cron, m, first);
    if (first < day) days &= ~uint32_t{0} << (day - first);
    if (days != 0) return first + __builtin_ctz(days);
  }
  return kNone;
}

// The last matching day at or before `day`, or kNone.
int64_t PreviousDay(const CronExpression& cron, int64_t day) {
  const int64_t limit = day - kHorizonDays;
  for (int64_t in_month = day; in_month >= limit;) {
    const Month m = MonthOf(in_month);
    const int64_t first = FirstDay(m);
    const uint32_t up_to = ~uint32_t{0} >> (31 - (in_month - first));
    const uint32_t days = MatchingDays(cron, m, first) & up_to;
    if (days != 0) return first + 31 - __builtin_clz(days);
    in_month = first - 1;
  }
  return kNone;
}

// The first matching minute of a day at or after `minute` (0-1440), or -1.
int NextMinute(const CronExpression& cron, int minute) {
  for (int hour = minute / 60; hour < 24; ++hour) {
    if ((cron.hours >> hour & 1) == 0) continue;
    const int from = hour == minute / 60 ? minute % 60 : 0;
    const uint64_t minutes = cron.minutes & ~uint64_t{0} << from;
    if (minutes != 0) return hour * 60 + __builtin_ctzll(minutes);
  }
  return -1;
}

// The last matching minute of a day at or before `minute` (0-1439), or -1.
int PreviousMinute(const CronExpression& cron, int minute) {
  for (int hour = minute / 60; hour >= 0; --hour) {
    if ((cron.hours >> hour & 1) == 0) continue;
    const int to = hour == minute / 60 ? minute % 60 : 59;
    const uint64_t minutes = cron.minutes & ~uint64_t{0} >> (63 - to);
    if (minutes != 0) return hour * 60 + 63 - __builtin_clzll(minutes);
  }
  return -1;
}

// The first matching reading at or after `local`, or kNone.
int64_t NextReading(const CronExpression& cron, int64_t local) {
  const int64_t start = FloorDiv(local + kSecondsPerMinute - 1, kSecondsPerMinute);
  const int64_t today = FloorDiv(start, kSecondsPerDay / kSecondsPerMinute);
  int64_t day = NextDay(cron, today);
  if (day == today) {
    const int minute =
        NextMinute(cron, static_cast<int>(start - today * (kSecondsPerDay / kSecondsPerMinute)));
    if (minute >= 0) return day * kSecondsPerDay + minute * kSecondsPerMinute;
    day = NextDay(cron, today + 1);
  }
  return day == kNone ? kNone : day * kSecondsPerDay + NextMinute(cron, 0) * kSecondsPerMinute;
}

// The last matching reading at or before `local`, or kNone.
int64_t PreviousReading(const CronExpression& cron, int64_t local) {
  const int64_t start = FloorDiv(local, kSecondsPerMinute);
  const int64_t today = FloorDiv(start, kSecondsPerDay / kSecondsPerMinute);
  int64_t day = PreviousDay(cron, today);
  if (day == today) {
    const int minute = PreviousMinute(
        cron, static_cast<int>(start - today * (kSecondsPerDay / kSecondsPerMinute)));
    if (minute >= 0) return day * kSecondsPerDay + minute * kSecondsPerMinute;
    day = PreviousDay(cron, today - 1);
  }
  return day == kNone ? kNone
                      : day * kSecondsPerDay + PreviousMinute(cron, 1439) * kSecondsPerMinute;
}

// --- the zone -------------------------------------------------------------------------------

int64_t Offset(const TimeZone& zone, int64_t t) {
  return zone.to_local(t, zone.context).utc_offset;
}
int64_t Local(const TimeZone& zone, int64_t t) {
  return t + Offset(zone, t);
}

// The change of offset between `low` and `high`, which lie on its two sides: the first second
// with the new offset.
int64_t Bisect(const TimeZone& zone, int64_t low, int64_t high) {
  const int64_t before = Offset(zone, low);
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (Offset(zone, middle) == before ? low : high) = middle;
  }
  return high;
}

// The first change of offset in (from, to], or to + 1.
int64_t FirstChange(const TimeZone& zone, int64_t from, int64_t to) {
  for (int64_t low = from; low < to;) {
    const int64_t high = low + kProbe < to ? low + kProbe : to;
    if (Offset(zone, low) != Offset(zone, high)) return Bisect(zone, low, high);
    low = high;
  }
  return to + 1;
}

// The last change of offset in (from, to], or from.
int64_t LastChange(const TimeZone& zone, int64_t from, int64_t to) {
  for (int64_t high = to; high > from;) {
    const int64_t low = high - kProbe > from ? high - kProbe : from;
    if (Offset(zone, low) != Offset(zone, high)) return Bisect(zone, low, high);
    high = low;
  }
  return from;
}

// --- fixed times ----------------------------------------------------------------------------
// A fixed time runs at the first instant whose clock shows it or a later reading. That is the
// first of two equal readings, and the end of the gap for one that is left out; and the order of
// readings is the order of runs.

int64_t FirstInstantAtOrAfter(const TimeZone& zone, int64_t reading) {
  const int64_t end = reading + kLargestShift;
  for (int64_t start = reading - kLargestShift; start <= end;) {
    const int64_t change = FirstChange(zone, start, end);
    const int64_t instant = reading - Offset(zone, start);
    if (instant <= start) return start;
    if (instant < change) return instant;
    start = change;
  }
  return end;
}

// The latest reading any clock of the zone has shown up to `t`.
int64_t LatestReading(const TimeZone& zone, int64_t t) {
  int64_t latest = Local(zone, t);
  const int64_t start = t - kLargestShift;
  for (int64_t end = t; end > start;) {
    const int64_t change = LastChange(zone, start, end);
    if (change == start) break;
    const int64_t reading = Local(zone, change - 1);
    if (reading > latest) latest = reading;
    end = change - 1;
  }
  return latest;
}

// --- wildcards ------------------------------------------------------------------------------
// Real time is walked in stretches of one offset, near `from` only: where the calendar is empty
// for longer than any clock was ever moved, the stretch is skipped.

int64_t NextInRealTime(const CronExpression& cron, int64_t after, const TimeZone& zone) {
  const int64_t limit = after + kHorizonDays * kSecondsPerDay;
  for (int64_t start = after + 1; start <= limit;) {
    const int64_t end = FirstChange(zone, start, start + 2 * kLargestShift) - 1;
    const int64_t offset = Offset(zone, start);
    const int64_t reading = NextReading(cron, start + offset);
    if (reading == kNone) return kNone;
    if (reading - offset <= end) return reading - offset;
    const bool changes = end < start + 2 * kLargestShift;
    const int64_t skipped = reading - kLargestShift;
    start = !changes && skipped > end ? skipped : end + 1;
  }
  return kNone;
}

int64_t PreviousInRealTime(const CronExpression& cron, int64_t at, const TimeZone& zone) {
  const int64_t limit = at - kHorizonDays * kSecondsPerDay;
  for (int64_t end = at; end >= limit;) {
    const int64_t start = LastChange(zone, end - 2 * kLargestShift, end);
    const int64_t offset = Offset(zone, end);
    const int64_t reading = PreviousReading(cron, end + offset);
    if (reading == kNone) return kNone;
    if (reading - offset >= start) return reading - offset;
    const bool changes = start > end - 2 * kLargestShift;
    const int64_t skipped = reading + kLargestShift;
    end = !changes && skipped < start ? skipped : start - 1;
  }
  return kNone;
}

}  // namespace

int64_t NextRun(const CronExpression& cron, int64_t after, const TimeZone& zone) noexcept {
  if (after > kLargestTime || after < -kLargestTime) return kNone;
  if (cron.follows_real_time) return NextInRealTime(cron, after, zone);
  const int64_t reading = NextReading(cron, LatestReading(zone, after) + 1);
  return reading == kNone ? kNone : FirstInstantAtOrAfter(zone, reading);
}

int64_t PreviousRun(const CronExpression& cron, int64_t at, const TimeZone& zone) noexcept {
  if (at > kLargestTime || at < -kLargestTime) return kNone;
  if (cron.follows_real_time) return PreviousInRealTime(cron, at, zone);
  const int64_t reading = PreviousReading(cron, LatestReading(zone, at));
  return reading == kNone ? kNone : FirstInstantAtOrAfter(zone, reading);
}

}  // namespace pgbackup
