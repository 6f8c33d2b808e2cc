// What schedules are made of, for SQL: cron expressions, time zones and lists of databases.
#include "shared/cron/cron_words.h"
#include "shared/cron/slot_plan.h"

#include "pg/settings.h"
#include "pg/time_zone.h"

extern "C" {
#include "access/xlog.h"

PG_FUNCTION_INFO_V1(pgbackup_cron_error);
PG_FUNCTION_INFO_V1(pgbackup_cron_words);
PG_FUNCTION_INFO_V1(pgbackup_next_run);
PG_FUNCTION_INFO_V1(pgbackup_last_run);
PG_FUNCTION_INFO_V1(pgbackup_jitter_delay);
PG_FUNCTION_INFO_V1(pgbackup_timezone_exists);
PG_FUNCTION_INFO_V1(pgbackup_split_selection);
}

using namespace pgbackup;

// (cron text) → what is wrong with it, or NULL.
Datum pgbackup_cron_error(PG_FUNCTION_ARGS) {
  CronExpression cron;
  CronError error;
  if (ParseCron(text_to_cstring(PG_GETARG_TEXT_PP(0)), &cron, &error)) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(
      cstring_to_text(psprintf("%s, at character %d.", error.message, error.position + 1)));
}

// (cron text) → it in words; NULL for what is none.
Datum pgbackup_cron_words(PG_FUNCTION_ARGS) {
  CronExpression cron;
  CronError error;
  if (!ParseCron(text_to_cstring(PG_GETARG_TEXT_PP(0)), &cron, &error)) PG_RETURN_NULL();
  char words[400];
  CronInWords(cron, words);
  PG_RETURN_TEXT_P(cstring_to_text(words));
}

namespace {

using FindRun = int64_t(const CronExpression& cron, int64_t seconds, const TimeZone& zone);

// Of functions (cron text, timezone text, at timestamptz) → timestamptz.
Datum RunOf(FunctionCallInfo fcinfo, FindRun* find) {
  CronExpression cron;
  CronError error;
  if (!ParseCron(text_to_cstring(PG_GETARG_TEXT_PP(0)), &cron, &error)) PG_RETURN_NULL();
  const pg_tz* zone = ZoneNamed(text_to_cstring(PG_GETARG_TEXT_PP(1)));
  if (zone == nullptr) PG_RETURN_NULL();
  const int64_t run = find(cron, timestamptz_to_time_t(PG_GETARG_TIMESTAMPTZ(2)), CoreZone(zone));
  if (run == kNoSlot) PG_RETURN_NULL();
  PG_RETURN_TIMESTAMPTZ(time_t_to_timestamptz(run));
}

}  // namespace

// (cron text, timezone text, after timestamptz) → the first run after it, or NULL.
Datum pgbackup_next_run(PG_FUNCTION_ARGS) {
  return RunOf(fcinfo, NextRun);
}

// (cron text, timezone text, at timestamptz) → the last run at or before it, or NULL.
Datum pgbackup_last_run(PG_FUNCTION_ARGS) {
  return RunOf(fcinfo, PreviousRun);
}

// (schedule text, jitter int) → interval.
Datum pgbackup_jitter_delay(PG_FUNCTION_ARGS) {
  const int64_t delay =
      JitterDelay(GetSystemIdentifier(), text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1));
  Interval* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  interval->time = delay * USECS_PER_SEC;
  PG_RETURN_INTERVAL_P(interval);
}

Datum pgbackup_timezone_exists(PG_FUNCTION_ARGS) {
  pg_tz* zone = pg_tzset(text_to_cstring(PG_GETARG_TEXT_PP(0)));
  PG_RETURN_BOOL(zone != nullptr && pg_tz_acceptable(zone));
}

// (databases text) → its elements as text[], NULL when it is no such list.
Datum pgbackup_split_selection(PG_FUNCTION_ARGS) {
  List* names = NIL;
  if (!SplitSelection(text_to_cstring(PG_GETARG_TEXT_PP(0)), &names)) PG_RETURN_NULL();
  Datum* elements =
      static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<size_t>(list_length(names))));
  int count = 0;
  ListCell* cell;
  foreach (cell, names)
    elements[count++] = CStringGetTextDatum(static_cast<const char*>(lfirst(cell)));
  PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
