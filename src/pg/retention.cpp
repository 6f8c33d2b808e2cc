// Retention, as the launcher applies it.
#include "pg/catalog.h"
#include "pg/run_log.h"
#include "pg/transaction.h"

namespace pgbackup {

void ApplyRetention() {
  const uint64 small = ExecuteSql(
      "SELECT id, database, 'is ' || substring(message FROM 'suspiciously small.*') "
      "FROM pgbackup._flag_small_backups()");
  for (uint64 row = 0; row < small; ++row)
    WriteRunLog(LogLevel::kWarning, {JobKind::kBackup, Int8OfRow(row, 0), TextOfRow(row, 1)},
                TextOfRow(row, 2), nullptr);
  ExecuteSql(
      "SELECT count(*) FROM pgbackup._apply_retention() r JOIN pgbackup.backups b "
      "ON b.id = r.backup_id WHERE b.expired_at >= now()");
  const int64 count = Int8OfRow(0, 0);
  if (count > 0)
    WriteLog(LogLevel::kLog, psprintf("retention gives up " INT64_FORMAT " backup%s", count,
                                      count == 1 ? "" : "s"));
}

void RemoveReplacedDatabases() {
  ExecuteSql("SELECT FROM pgbackup._cleanup_replaced(false)");
}

}  // namespace pgbackup
