// Pins and verifications are kept in the storage, too: queued by triggers (sql/parts/marks.sql) in
// the transaction that changes them, written by agents of their own kind.
#include "pg/catalog.h"
#include "pg/job_json.h"
#include "pg/run_log.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr int kMostAtOnce = 100;  // a job has room for a megabyte

}  // namespace

ReadyJob NextMarks(TimestampTz now, MemoryContext context, Candidate* candidate) {
  // One that somebody holds locked is just changing.
  static constinit PreparedSql next(
      "SELECT u.run_id, u.storage FROM pgbackup.unstored_marks u WHERE u.not_before <= $1 "
      "ORDER BY u.not_before LIMIT 1 FOR UPDATE SKIP LOCKED");
  if (next.Execute(SqlArguments().Time(now)) == 0) return {};
  ReadyJob job = {};
  job.found = true;
  job.run_id = candidate->run_id = Int8OfRow(0, 0);
  const char* storage = TextOfRow(0, 1);
  SqlArguments arguments;
  AddJobArguments(&arguments, job.run_id);
  arguments.Text(storage).Time(now).Int4(kMostAtOnce);
  // Nobody waits for it, but others wait behind it: five minutes without any progress are enough.
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'marks', 'id', $1, "
      "'stall_timeout', 300, "
      "'manifest_key_file', current_setting('pgbackup.manifest_key_file'), " PGBACKUP_NICE_JSON
      ", " PGBACKUP_INSTANCE_JSON ", 'storage', " PGBACKUP_STORAGE_JSON(
          "$7") ", 'marks', pgbackup._marks_to_store($7, $8, $9))::text",
      arguments);
  job.json = JobText(TextOfRow(0, 0), context);
  return job;
}

TimestampTz NextMarksTime() {
  static constinit PreparedSql earliest("SELECT min(not_before) FROM pgbackup.unstored_marks");
  earliest.Execute();
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

void FinishMarks(int64 run_id, const char* event, const char* why) {
  if (ExecuteSql("SELECT pgbackup._settle_marks($1, coalesce($2::jsonb, '{}'), $3)",
                 SqlArguments().Int8(run_id).Text(event).Text(why)) == 0)
    return;
  if (const char* line = TextOfRow(0, 0))
    WriteLog(LogLevel::kWarning, line,
             "pgbackup.unstored_marks shows what waits. It is tried again by itself.");
}

}  // namespace pgbackup
