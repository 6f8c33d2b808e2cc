// Backups that gave way to other sessions, or could not lock their tables, are tried again later.
#include "pg/catalog.h"
#include "pg/settings.h"
#include "pg/transaction.h"

namespace pgbackup {

// Failures whose reason may pass: a connection, a disk that is full, a program, the server's own,
// an interruption.
#define PGBACKUP_PASSING_STATES "'08006', '53100', '38000', '58000', '57P01'"

void QueueRetry(int64 run_id, bool in_the_way) {
  // The later run of a schedule may wait already, when this one has taken longer than its slot.
  ExecuteSql(
      "WITH f AS (SELECT *, NOT EXISTS (SELECT FROM pgbackup.backups n "
      "WHERE n.schedule = b.schedule AND n.database = b.database AND n.slot > b.slot "
      "AND n.status IN ('pending', 'in_progress')) AS is_last "
      "FROM pgbackup.backups b WHERE b.id = $1 AND ($4 OR b.backup_type = 'scheduled' "
      "AND b.sqlstate IN (" PGBACKUP_PASSING_STATES
      "))), "
      "r AS (INSERT INTO pgbackup.backups (database, label, storage, format, options, backup_type, "
      "schedule, slot, created_by, retry_of, attempt, not_before) "
      "SELECT database, label, storage, coalesce(options->>'format', format), options, "
      "backup_type, schedule, slot, created_by, id, attempt + 1, "
      "clock_timestamp() + $2 * interval '1 second' * power(2, attempt - 1) "
      "FROM f WHERE is_last AND attempt <= $3 RETURNING id, not_before) "
      "UPDATE pgbackup.backups b SET message = b.message || CASE "
      "WHEN r.id IS NOT NULL THEN format('; backup %s tries again at %s', r.id, "
      "date_trunc('second', r.not_before)) "
      "WHEN f.is_last THEN format('; this was attempt %s, the last one', f.attempt) "
      "ELSE '; the next run of its schedule follows' END, "
      "hint = concat_ws(' ', b.hint, CASE WHEN r.id IS NOT NULL "
      "THEN format('SELECT pgbackup.cancel(%s) keeps it from being tried again.', r.id) END) "
      "FROM f LEFT JOIN r ON true WHERE b.id = $1 AND (r.id IS NOT NULL OR f.attempt > 1 "
      "OR NOT f.is_last)",
      SqlArguments()
          .Int8(run_id)
          .Int4(settings.retry_delay)
          .Int4(settings.retry_count)
          .Bool(in_the_way));
}

void SupersedeRetries(const char* schedule, TimestampTz slot) {
  ExecuteSql(
      "UPDATE pgbackup.backups b SET status = 'cancelled', finished_at = clock_timestamp(), "
      "sqlstate = '57014', message = format('backup %s of the next slot takes its place', n.id) "
      "FROM pgbackup.backups n WHERE b.status = 'pending' AND b.retry_of IS NOT NULL "
      "AND b.schedule = $2 AND b.slot < $1 AND n.slot = $1 AND n.schedule = $2 "
      "AND n.database = b.database AND n.retry_of IS NULL",
      SqlArguments().Time(slot).Text(schedule));
}

TimestampTz NextRetryTime() {
  static constinit PreparedSql earliest(
      "SELECT min(not_before) FROM pgbackup.backups WHERE status = 'pending'");
  earliest.Execute();
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

}  // namespace pgbackup
