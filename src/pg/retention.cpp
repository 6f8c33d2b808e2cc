#include "pg/retention.h"

#include "pg/catalog.h"
#include "pg/launcher_trouble.h"
#include "pg/run_log.h"
#include "pg/running_agents.h"
#include "pg/shared_state.h"
#include "pg/totals.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr int kSoonMs = 60000;             // after a change of the rules, or a failure
constexpr int kSweepIntervalMs = 3600000;  // from the end of a sweep to the next one
constexpr int64 kSliceMicroseconds = 5000;
constexpr int kPauseMs = 100;  // between slices
constexpr int kAtOnce = 10;    // backups of a database that expire in one turn
constexpr int kForgottenAtOnce = 100;
constexpr int kTellMs = 60000;  // how often a long sweep tells how many backups it gives up

// How far the work is.
struct Course {
  NameData waiting[kMaxAgents];  // databases whose turn is next, the last one first
  int waiting_count;
  bool is_sweeping;
  NameData swept;       // the last database of the sweep that had its turn
  TimestampTz next_at;  // when the next sweep begins, 0 for never
};

Course course = {};     // what is committed
Course ahead = {};      // and what the slice makes of it
NameData at_work = {};  // whose turn it is
bool at_end = false;    // that of no database, at the end of a sweep
int turns = 0;          // in the slice
bool alone = false;     // one turn in a slice, to find the one that fails
int64 expired = 0;      // in the slice
int64 untold = 0;       // backups that have expired and are not in the log
TimestampTz told_at = 0;
TimestampTz slice_at = 0;  // no slice before that
bool sweep_fails = false;  // some database of this sweep
bool fails = false;
char* rules = nullptr;  // in TopMemoryContext

// The database after another one that has backups; false when there is none.
bool FindNextDatabase(NameData* database) {
  static constinit PreparedSql next(
      "SELECT b.database FROM pgbackup.backups b "
      "WHERE b.status = 'completed' AND b.database > $1 ORDER BY b.database LIMIT 1");
  if (next.Execute(SqlArguments().Add(NAMEOID, NameGetDatum(database))) == 0) return false;
  namestrcpy(database, TextOfRow(0, 0));
  return true;
}

// False when there is more to do for this database.
bool RetainDatabase(const NameData* database) {
  static constinit PreparedSql retain(
      "SELECT r.backup_id, r.finding FROM pgbackup._retain($1, $2) AS r");
  const uint64 rows =
      retain.Execute(SqlArguments().Add(NAMEOID, NameGetDatum(database)).Int4(kAtOnce));
  int count = 0;
  for (uint64 row = 0; row < rows; ++row) {
    const char* finding = TextOfRow(row, 1);
    if (finding == nullptr)
      ++count;
    else
      WriteRunLog(LogLevel::kWarning, {JobKind::kBackup, Int8OfRow(row, 0), NameStr(*database)},
                  psprintf("is %s", finding), nullptr);
  }
  expired += count;
  return count < kAtOnce;
}

// Rows whose time is over; false when there are more.
bool ForgetExpired() {
  static constinit PreparedSql forget("SELECT pgbackup._forget_expired($1)");
  forget.Execute(SqlArguments().Int4(kForgottenAtOnce));
  return Int8OfRow(0, 0) < kForgottenAtOnce;
}

// One turn of the sweep.
void Sweep(TimestampTz now) {
  at_work = ahead.swept;
  at_end = !FindNextDatabase(&at_work);
  if (!at_end) {
    RecountBackups(&at_work);
    if (RetainDatabase(&at_work)) ahead.swept = at_work;
  } else if (ForgetExpired()) {
    ahead.is_sweeping = false;
    ahead.next_at = TimestampTzPlusMilliseconds(now, sweep_fails ? kSoonMs : kSweepIntervalMs);
  }
}

void BeginSweep() {
  course.is_sweeping = true;
  course.next_at = 0;
  memset(&course.swept, 0, sizeof course.swept);
  sweep_fails = false;
}

void TellExpired(TimestampTz now) {
  if (untold == 0) return;
  const bool goes_on = course.is_sweeping || course.waiting_count > 0;
  if (goes_on && !TimestampDifferenceExceeds(told_at, now, kTellMs)) return;
  WriteLog(LogLevel::kLog, psprintf("retention gives up " INT64_FORMAT " backup%s", untold,
                                    untold == 1 ? "" : "s"));
  untold = 0;
  told_at = now;
}

// The turn that has failed is left out. Of several in the slice it is not known which others would
// not have failed, so they are taken one by one first.
void LeaveOut(TimestampTz now) {
  fails = true;
  sweep_fails = true;
  alone = turns > 1;
  if (alone) return;
  const TimestampTz again_at = TimestampTzPlusMilliseconds(now, kSoonMs);
  if (course.waiting_count > 0) {
    --course.waiting_count;
    SweepAt(again_at);
  } else if (at_end) {
    course.is_sweeping = false;
    course.next_at = again_at;
  } else {
    course.swept = at_work;
  }
}

}  // namespace

void RetainSoon(const char* database) {
  for (int i = 0; i < course.waiting_count; ++i)
    if (strcmp(NameStr(course.waiting[i]), database) == 0) return;
  if (course.waiting_count == kMaxAgents) return SweepAt(GetCurrentTimestamp());
  namestrcpy(&course.waiting[course.waiting_count++], database);
}

void SweepAt(TimestampTz at) {
  if (!course.is_sweeping) KeepEarliest(&course.next_at, at);
}

void NoteRetentionRules(TimestampTz now) {
  static constinit PreparedSql read("SELECT pgbackup._retention_rules()");
  read.Execute();
  const char* found = TextOfRow(0, 0);
  if (rules != nullptr && strcmp(rules, found) == 0) return;
  if (rules != nullptr) pfree(rules);
  rules = MemoryContextStrdup(TopMemoryContext, found);
  // A mistake can be taken back until then. What a sweep that is under way has passed, it has
  // passed by the old rules.
  course.is_sweeping = false;
  course.next_at = TimestampTzPlusMilliseconds(now, kSoonMs);
}

TimestampTz NextSliceTime() {
  if (course.is_sweeping || course.waiting_count > 0) return Max(slice_at, 1);
  return course.next_at == 0 ? 0 : Max(slice_at, course.next_at);
}

void RunSlice(TimestampTz now) {
  if (course.waiting_count == 0 && !course.is_sweeping) BeginSweep();
  ahead = course;
  expired = 0;
  turns = 0;
  const int64 end = SteadyMicroseconds() + kSliceMicroseconds;
  do {
    ++turns;
    if (ahead.waiting_count > 0) {
      at_work = ahead.waiting[ahead.waiting_count - 1];
      if (RetainDatabase(&at_work)) --ahead.waiting_count;
    } else {
      Sweep(now);
    }
  } while (!alone && (ahead.waiting_count > 0 || ahead.is_sweeping) && SteadyMicroseconds() < end);
}

bool EndSlice(TimestampTz now, bool is_committed) {
  if (!is_committed) {
    LeaveOut(now);
    slice_at = TimestampTzPlusMilliseconds(now, RetryDelay());
    return false;
  }
  if (course.is_sweeping && !ahead.is_sweeping) {
    fails = sweep_fails;
    alone = false;
  }
  course = ahead;
  slice_at = TimestampTzPlusMilliseconds(now, kPauseMs);
  untold += expired;
  TellExpired(now);
  return expired > 0;
}

bool RetentionFails() {
  return fails;
}

void ForgetRetention() {
  course = {};
  fails = false;
  if (rules != nullptr) pfree(rules);
  rules = nullptr;
}

void RemoveReplacedDatabases() {
  ExecuteSql("SELECT FROM pgbackup._cleanup_replaced(false)");
}

}  // namespace pgbackup
