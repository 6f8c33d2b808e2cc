#include "shared/cron/cron.h"

#include "pg/schedule_clock.h"
#include "pg/settings.h"
#include "pg/time_zone.h"

namespace pgbackup {
namespace {

TimestampTz next_cleanup = 0;

}  // namespace

void ResetCleanupClock(TimestampTz now) {
  next_cleanup = 0;
  CronExpression cron;
  CronError error;
  if (!ParseCron(settings.cleanup_schedule, &cron, &error)) return;  // empty
  const int64_t next = NextRun(cron, timestamptz_to_time_t(now), CoreZone(ScheduleZone()));
  if (next != INT64_MIN) next_cleanup = time_t_to_timestamptz(next);
}

TimestampTz NextCleanupSlot() {
  return next_cleanup;
}

bool TakeCleanupSlot(TimestampTz now) {
  if (next_cleanup == 0 || now < next_cleanup) return false;
  ResetCleanupClock(now);
  return true;
}

}  // namespace pgbackup
