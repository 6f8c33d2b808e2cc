#include "core/cron/cron.h"

#include "pg/schedule_clock.h"
#include "pg/settings.h"
#include "pg/time_zone.h"

namespace pgbackup {
namespace {

TimestampTz next_slots[kClocks];

TimestampTz SlotAfter(Clock clock, TimestampTz now) {
  const bool is_idle = clock == Clock::kBackups && settings.storage[0] == '\0';
  const char* schedule = clock == Clock::kBackups ? settings.schedule : settings.cleanup_schedule;
  if (is_idle || schedule[0] == '\0') return 0;
  CronExpression cron;
  CronError error;
  if (!ParseCron(schedule, &cron, &error)) return 0;
  const int64_t next = NextRun(cron, timestamptz_to_time_t(now), CoreZone(ScheduleZone()));
  return next == INT64_MIN ? 0 : time_t_to_timestamptz(next);
}

}  // namespace

void ResetClocks(TimestampTz now) {
  for (const Clock clock : {Clock::kBackups, Clock::kCleanup})
    next_slots[static_cast<int>(clock)] = SlotAfter(clock, now);
}

TimestampTz NextSlot(Clock clock) {
  return next_slots[static_cast<int>(clock)];
}

TimestampTz TakeDueSlot(Clock clock, TimestampTz now) {
  const TimestampTz due = NextSlot(clock);
  if (due == 0 || now < due) return 0;
  next_slots[static_cast<int>(clock)] = SlotAfter(clock, now);
  return due;
}

}  // namespace pgbackup
