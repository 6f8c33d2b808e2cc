#include "core/cron/cron.h"

#include "pg/schedule_clock.h"
#include "pg/settings.h"

namespace pgbackup {
namespace {

TimestampTz next_slot = 0;

CivilTime ToLocal(int64_t unix_seconds, const void* context) noexcept {
  const pg_time_t time = unix_seconds;
  const pg_tm* local = pg_localtime(&time, static_cast<const pg_tz*>(context));
  CivilTime civil;
  if (local == nullptr) return civil;
  civil.year = local->tm_year + 1900;
  civil.month = local->tm_mon + 1;
  civil.day = local->tm_mday;
  civil.hour = local->tm_hour;
  civil.minute = local->tm_min;
  civil.second = local->tm_sec;
  civil.utc_offset = static_cast<int>(local->tm_gmtoff);
  return civil;
}

TimestampTz SlotAfter(TimestampTz now) {
  if (settings.schedule[0] == '\0' || settings.storage[0] == '\0') return 0;
  CronExpression cron;
  CronError error;
  if (!ParseCron(settings.schedule, &cron, &error)) return 0;
  const int64_t next = NextRun(cron, timestamptz_to_time_t(now), {ToLocal, ScheduleZone()});
  return next == INT64_MIN ? 0 : time_t_to_timestamptz(next);
}

}  // namespace

void ResetScheduleClock(TimestampTz now) {
  next_slot = SlotAfter(now);
}

TimestampTz NextSlot() {
  return next_slot;
}

TimestampTz TakeDueSlot(TimestampTz now) {
  if (next_slot == 0 || now < next_slot) return 0;
  const TimestampTz due = next_slot;
  next_slot = SlotAfter(now);
  return due;
}

}  // namespace pgbackup
