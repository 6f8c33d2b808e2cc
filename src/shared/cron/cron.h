// Cron expressions: parsing and the next run.
//
// Five fields (minute hour day-of-month month day-of-week) with names, ranges, steps and lists, the
// nicknames @hourly … @yearly, "L" or "$" for the last day of the month; 0 and 7 are Sunday. Day of
// month and day of week are alternatives (OR) only when neither starts with '*'. Times are wall
// clock times of a zone:
//   - a run whose fixed time falls into the gap of spring takes place once, right after the gap;
//   - a run whose fixed time falls into the repeated hour of autumn takes place once, the first
//   time;
//   - an expression with a wildcard hour or minute (its field starts with '*') follows real time:
//     it runs in both repeated hours and not in the missing one.
//
// Used by the launcher inside the server: no exceptions, no allocation, no global state.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgbackup {

struct CronExpression {
  uint64_t minutes = 0;        // bits 0-59
  uint32_t hours = 0;          // bits 0-23
  uint32_t days_of_month = 0;  // bits 1-31
  uint32_t months = 0;         // bits 1-12
  uint8_t days_of_week = 0;    // bits 0-6, Sunday is 0
  bool last_day_of_month = false;
  bool any_day_of_month = false;   // the field starts with '*'
  bool any_day_of_week = false;    // the field starts with '*'
  bool follows_real_time = false;  // the minute or hour field starts with '*'
};

struct CronError {
  const char* message = nullptr;  // static text: what is wrong, e.g. "hour is out of range 0-23"
  const char* field = nullptr;    // static text: "minute", …; nullptr when it is the whole
  int position = 0;               // byte offset of the offending text in the expression
};

// Parses `text`; on failure returns false and fills *error. Refuses dates that never come
// ("0 0 30 2 *"), a seconds field, anything behind the fifth field.
bool ParseCron(std::string_view text, CronExpression* cron, CronError* error) noexcept;

// A wall clock reading.
struct CivilTime {
  int year = 0;   // e.g. 2026
  int month = 0;  // 1-12
  int day = 0;    // 1-31
  int hour = 0, minute = 0, second = 0;
  int utc_offset = 0;  // seconds east of UTC
};

// A time zone, as its owner gives it: `to_local` breaks a Unix time down; it must be total and its
// offset must change only at whole seconds.
struct TimeZone {
  CivilTime (*to_local)(int64_t unix_seconds, const void* context) noexcept;
  const void* context;
};

// The first run strictly after `after` (Unix seconds), or INT64_MIN when there is none within the
// next nine years (the longest wait between two runs is 29 February across a skipped leap year).
int64_t NextRun(const CronExpression& cron, int64_t after, const TimeZone& zone) noexcept;

// The last run at or before `at`, or INT64_MIN when there is none within the past nine years.
int64_t PreviousRun(const CronExpression& cron, int64_t at, const TimeZone& zone) noexcept;

}  // namespace pgbackup
