#include "shared/cron/slot_plan.h"

#include "pg/catalog.h"
#include "pg/run_log.h"
#include "pg/schedules.h"
#include "pg/settings.h"
#include "pg/time_zone.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr int kMaxSchedules = 65;  // pgbackup.schedule() makes 63, the settings two

struct Schedule {
  NameData name;
  CronExpression cron;
  const pg_tz* zone;
  SlotRules rules;
  int64_t since;   // Unix seconds: slots up to then are settled
  int64_t due_at;  // when the next one is to be settled, kNoSlot for never
};

struct ScheduleTable {
  int count;
  Schedule schedules[kMaxSchedules];
};

ScheduleTable running;
ScheduleTable read_last;
Schedule* settled_schedule = nullptr;  // the one that SettleSlots was about
SlotPlan settled_plan;
int64_t settled_at = 0;

int64_t DueAt(const Schedule& schedule, int64_t slot) {
  return slot == kNoSlot ? kNoSlot : slot + schedule.rules.delay;
}

// Not SlotPlan::next: a slot after `since` that has gone by is due, too.
void AwaitNextSlot(Schedule* schedule) {
  schedule->due_at =
      DueAt(*schedule, NextRun(schedule->cron, schedule->since, CoreZone(schedule->zone)));
}

Datum SlotTime(int64_t slot) {
  return TimestampTzGetDatum(time_t_to_timestamptz(slot));
}

void AddSlot(SqlArguments* arguments, int64_t slot) {
  if (slot == kNoSlot)
    arguments->AddNull(TIMESTAMPTZOID);
  else
    arguments->Add(TIMESTAMPTZOID, SlotTime(slot));
}

}  // namespace

void ReadSchedules(TimestampTz now) {
  read_last.count = 0;
  static constinit PreparedSql sync(
      "SELECT name, cron, timezone, delay, floor(extract(epoch FROM since))::bigint "
      "FROM pgbackup._sync_schedules($1)");
  const uint64 rows = sync.Execute(SqlArguments().Time(now));
  for (uint64 row = 0; row < rows && read_last.count < kMaxSchedules; ++row) {
    Schedule* schedule = &read_last.schedules[read_last.count];
    CronError error;
    if (!ParseCron(TextOfRow(row, 1), &schedule->cron, &error)) continue;
    namestrcpy(&schedule->name, TextOfRow(row, 0));
    schedule->zone = ZoneNamed(TextOfRow(row, 2));
    if (schedule->zone == nullptr) continue;  // health() says so
    schedule->rules.delay = Int8OfRow(row, 3);
    schedule->rules.catch_up_window = settings.catch_up_window;
    schedule->since = Int8OfRow(row, 4);
    ++read_last.count;
  }
}

void TakeUpSchedules() {
  running = read_last;
  for (int i = 0; i < running.count; ++i) AwaitNextSlot(&running.schedules[i]);
}

void ForgetSchedules() {
  running.count = 0;
}

TimestampTz NextScheduleTime() {
  int64_t earliest = kNoSlot;
  for (int i = 0; i < running.count; ++i) {
    const int64_t due_at = running.schedules[i].due_at;
    if (due_at != kNoSlot && (earliest == kNoSlot || due_at < earliest)) earliest = due_at;
  }
  return earliest == kNoSlot ? 0 : time_t_to_timestamptz(earliest);
}

bool ClockWasSetBack(TimestampTz now) {
  for (int i = 0; i < running.count; ++i)
    if (timestamptz_to_time_t(now) < running.schedules[i].since) return true;
  return false;
}

void SettleSlots(TimestampTz now) {
  const int64_t seconds = timestamptz_to_time_t(now);
  settled_schedule = nullptr;
  for (int i = 0; i < running.count && settled_schedule == nullptr; ++i)
    if (running.schedules[i].due_at != kNoSlot && running.schedules[i].due_at <= seconds)
      settled_schedule = &running.schedules[i];
  if (settled_schedule == nullptr) return;
  const Schedule& schedule = *settled_schedule;
  settled_plan =
      PlanSlots(schedule.cron, CoreZone(schedule.zone), schedule.rules, schedule.since, seconds);
  settled_at = seconds;
  if (settled_plan.due == kNoSlot && settled_plan.missed == 0) return;
  SqlArguments arguments;
  arguments.Text(NameStr(schedule.name));
  AddSlot(&arguments, settled_plan.due);
  arguments.Bool(settled_plan.late).Int8(settled_plan.missed);
  AddSlot(&arguments, settled_plan.first_missed);
  AddSlot(&arguments, settled_plan.last_missed);
  ExecuteSql("SELECT pgbackup._settle_slots($1, $2, $3, $4, $5, $6)", arguments);
  if (settled_plan.due != kNoSlot)
    SupersedeRetries(NameStr(schedule.name), time_t_to_timestamptz(settled_plan.due));
  if (settled_plan.missed > 0)
    WriteLog(LogLevel::kLog,
             psprintf(INT64_FORMAT " time%s of schedule \"%s\" missed",
                      static_cast<int64>(settled_plan.missed),
                      settled_plan.missed == 1 ? " was" : "s were", NameStr(schedule.name)));
}

void ConfirmSlots() {
  if (settled_schedule == nullptr) return;
  if (settled_plan.due != kNoSlot)
    settled_schedule->since = settled_plan.due;
  else if (settled_plan.missed > 0)
    settled_schedule->since = settled_plan.last_missed;
  else
    settled_schedule->since = settled_at;
  AwaitNextSlot(settled_schedule);
}

}  // namespace pgbackup
