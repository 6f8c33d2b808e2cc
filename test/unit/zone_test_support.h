// Time zones by the C library's zone data, for tests of what runs at a time of day.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

#include "shared/cron/cron.h"

namespace pgbackup {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

inline CivilTime LocalByLibc(int64_t unix_seconds, const void*) noexcept {
  const time_t t = unix_seconds;
  tm local = {};
  localtime_r(&t, &local);
  return {local.tm_year + 1900,
          local.tm_mon + 1,
          local.tm_mday,
          local.tm_hour,
          local.tm_min,
          local.tm_sec,
          static_cast<int>(local.tm_gmtoff)};
}

// Makes `name` the process's zone while it lives.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* old = std::getenv("TZ")) old_ = old;
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    if (old_.empty())
      unsetenv("TZ");
    else
      setenv("TZ", old_.c_str(), 1);
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  operator TimeZone() const {
    return {LocalByLibc, nullptr};
  }  // NOLINT(google-explicit-constructor)

 private:
  std::string old_;
};

// "2026-03-29 00:59:00" in UTC.
inline int64_t Utc(const char* text) {
  tm utc = {};
  const char* end = strptime(text, "%Y-%m-%d %H:%M:%S", &utc);
  EXPECT_TRUE(end != nullptr && *end == '\0') << text;
  return timegm(&utc);
}

inline std::string Show(int64_t t, const TimeZone& zone) {
  if (t == kNever) return "never";
  const CivilTime c = zone.to_local(t, zone.context);
  char text[80];
  (void)std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d %+03d%02d", c.year, c.month,
                      c.day, c.hour, c.minute, c.second, c.utc_offset / 3600,
                      std::abs(c.utc_offset) / 60 % 60);
  return text;
}

inline CronExpression ParsedCron(std::string_view text) {
  CronExpression cron;
  CronError error;
  EXPECT_TRUE(ParseCron(text, &cron, &error)) << text << ": " << error.message;
  return cron;
}

}  // namespace pgbackup
