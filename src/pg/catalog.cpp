#include "pg/catalog.h"

#include "pg/job_json.h"
#include "pg/run_log.h"
#include "pg/settings.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

const char* TableOf(JobKind kind) {
  return kind == JobKind::kBackup ? "pgbackup.backups" : "pgbackup.restores";
}

// What the agent of a run may have left is removed by a job of its own, until that has worked.
void QueueRemoval(JobKind kind, int64 run_id) {
  const char* sql =
      kind == JobKind::kBackup
          ? "INSERT INTO pgbackup.removals (run_id, storage, file_name, run_key, reason) "
            "SELECT id, storage, file_name, run_key, 'unfinished' FROM pgbackup.backups "
            "WHERE id = $1 AND file_name IS NOT NULL ON CONFLICT (run_id) DO NOTHING"
          : "INSERT INTO pgbackup.removals (run_id, target_database, reason) "
            "SELECT id, staging_database, 'unfinished' FROM pgbackup.restores "
            "WHERE id = $1 AND staging_database IS NOT NULL "
            "ON CONFLICT (run_id) DO NOTHING";
  ExecuteSql(sql, SqlArguments().Int8(run_id));
}

// What the agents of backups may have left in the storages of their copies. `backups` is a
// condition on backups b. Where another backup that is complete has the same folder, it may have
// its copy there: then nothing is removed.
void QueueRemovalOfCopies(const char* backups, const char* reason) {
  ExecuteSql(psprintf(
      "INSERT INTO pgbackup.removals (run_id, backup_id, storage, file_name, "
      "run_key, reason) "
      "SELECT c.id, c.backup_id, c.storage, b.file_name, b.run_key, '%s' FROM pgbackup.copies c "
      "JOIN pgbackup.backups b ON b.id = c.backup_id "
      "WHERE %s AND b.file_name IS NOT NULL "
      "AND NOT EXISTS (SELECT FROM pgbackup.backups o WHERE o.status = 'completed' "
      "AND o.id <> b.id AND o.file_name = b.file_name) "
      "ON CONFLICT (run_id) DO NOTHING",
      reason, backups));
}

// What a verification has proved.
void NoteProof(int64 run_id) {
  ExecuteSql(
      "UPDATE pgbackup.backups b SET verified_at = r.finished_at, "
      "verified_level = r.options->>'level' FROM pgbackup.restores r "
      "WHERE r.id = $1 AND b.id = r.backup_id",
      SqlArguments().Int8(run_id));
}

// When to try again what has failed `attempts` times before (an SQL expression).
#define PGBACKUP_NEXT_ATTEMPT(attempts) "pgbackup._next_attempt(" attempts ")"

// The same for a copy, which is given up after as many attempts as take four days.
#define PGBACKUP_NEXT_COPY \
  "CASE WHEN attempts < 100 THEN " PGBACKUP_NEXT_ATTEMPT("attempts - 1") " END"

// Of the last statement, which gave so many rows: id, database, message and what kind of run it is.
void LogFailures(uint64 rows) {
  for (uint64 row = 0; row < rows; ++row) {
    const char* what = TextOfRow(row, 3);
    const JobKind kind = strcmp(what, "copy") == 0     ? JobKind::kCopy
                         : strcmp(what, "backup") == 0 ? JobKind::kBackup
                         : strcmp(what, "verify") == 0 ? JobKind::kVerify
                                                       : JobKind::kRestore;
    WriteRunLog(LogLevel::kFailure, {kind, Int8OfRow(row, 0), TextOfRow(row, 1)},
                StateName(RunState::kFailed), TextOfRow(row, 2));
  }
}

}  // namespace

bool ExtensionExists() {
  return OidIsValid(get_extension_oid("pgbackup", true));
}

void NoteSystem() {
  ExecuteSql("SELECT pgbackup._note_system()");
}

void FailInterruptedRuns() {
  // Another backup that is complete may have the same folder when the name template lacks {id}:
  // then nothing is removed.
  ExecuteSql(
      "INSERT INTO pgbackup.removals (run_id, storage, file_name, run_key, reason) "
      "SELECT b.id, b.storage, b.file_name, b.run_key, 'interrupted' FROM pgbackup.backups b "
      "WHERE b.status = 'in_progress' AND b.file_name IS NOT NULL "
      "AND NOT EXISTS (SELECT FROM pgbackup.backups o WHERE o.status = 'completed' "
      "AND o.storage = b.storage AND o.file_name = b.file_name) "
      "ON CONFLICT (run_id) DO NOTHING");
  ExecuteSql(
      "INSERT INTO pgbackup.removals (run_id, target_database, reason) "
      "SELECT id, staging_database, 'interrupted' FROM pgbackup.restores "
      "WHERE status = 'in_progress' AND staging_database IS NOT NULL "
      "ON CONFLICT (run_id) DO NOTHING");
  QueueRemovalOfCopies("b.status = 'in_progress'", "interrupted");
  // A copy of a backup that is complete is tried again, at once.
  const uint64 copies = ExecuteSql(
      "UPDATE pgbackup.copies SET status = 'failed', finished_at = clock_timestamp(), "
      "sqlstate = '57P01', "
      "message = 'interrupted: the server or the pgbackup launcher stopped during the run', "
      "next_attempt_at = CASE WHEN b.status = 'completed' THEN clock_timestamp() END "
      "FROM pgbackup.backups b WHERE b.id = backup_id AND copies.status = 'in_progress' "
      "RETURNING copies.id, b.database, copies.message, 'copy'");
  LogFailures(copies);
  for (const JobKind kind : {JobKind::kBackup, JobKind::kRestore})
    LogFailures(ExecuteSql(psprintf(
        "UPDATE %s AS r SET status = 'failed', finished_at = clock_timestamp(), "
        "sqlstate = '57P01', "
        "message = 'interrupted: the server or the pgbackup launcher stopped during the run', "
        "hint = 'Start it again; scheduled runs come again by themselves.' "
        "WHERE status = 'in_progress' "
        "RETURNING id, database, message, coalesce(to_jsonb(r)->>'mode', 'backup')",
        TableOf(kind))));
  const uint64 scheduled = ExecuteSql(
      "SELECT id FROM pgbackup.backups WHERE status = 'failed' AND sqlstate = '57P01' "
      "AND backup_type = 'scheduled' AND finished_at >= now() ORDER BY id");
  int64* ids = static_cast<int64*>(palloc(sizeof(int64) * (scheduled + 1)));
  for (uint64 row = 0; row < scheduled; ++row) ids[row] = Int8OfRow(row, 0);
  for (uint64 row = 0; row < scheduled; ++row) QueueRetry(ids[row], false);
}

bool HasRecordedItself(int64 restore_id) {
  // The condition is not in WHERE: there it would be that of before the other commit, and not wait.
  return ExecuteSql("SELECT status FROM pgbackup.restores WHERE id = $1 FOR UPDATE",
                    SqlArguments().Int8(restore_id)) > 0 &&
         strcmp(TextOfRow(0, 0), "completed") == 0;
}

const char* RecordOutcome(JobKind kind, int64 run_id, const Outcome& outcome) {
  SqlArguments arguments;
  arguments.Int8(run_id)
      .Text(StateName(outcome.state))
      .Text(outcome.message)
      .Text(outcome.detail)
      .Text(outcome.hint)
      .Text(outcome.sqlstate)
      .Text(outcome.event);
  const char* common =
      "WITH e AS (SELECT $7::jsonb AS j) UPDATE %s SET status = $2, "
      "finished_at = clock_timestamp(), "
      "message = coalesce($3, e.j->>'message'), "
      "detail = coalesce($4, nullif(e.j->>'detail', '')), "
      "hint = coalesce($5, nullif(e.j->>'hint', '')), "
      "sqlstate = coalesce($6, e.j->>'sqlstate') %s "
      "FROM e WHERE id = $1 RETURNING message";
  const char* backup_columns =
      ", raw_size = (e.j->>'raw_size')::bigint, file_size = (e.j->>'file_size')::bigint, "
      "database_size = (e.j->>'database_size')::bigint, "
      "database_oid = (e.j->>'database_oid')::oid, "
      "checksum = e.j->>'checksum', format = coalesce(e.j->>'format', format), "
      "manifest = e.j->'manifest', "
      "clock_skew = (e.j->>'clock_skew')::float8 * interval '1 second', "
      "credentials_expire_at = (e.j->>'credentials_expire_at')::timestamptz, "
      "retain_until = retain_until + (clock_timestamp() - started_at)";
  const char* extra = kind == JobKind::kBackup ? backup_columns : "";
  const char* message = nullptr;
  if (ExecuteSql(psprintf(common, TableOf(kind), extra), arguments) > 0) message = TextOfRow(0, 0);
  if (kind == JobKind::kBackup && outcome.event != nullptr)
    ExecuteSql(
        "SELECT pgbackup._note_lease(b.storage, $2::jsonb->'lease') FROM pgbackup.backups b "
        "WHERE b.id = $1",
        SqlArguments().Int8(run_id).Text(outcome.event));
  if (kind == JobKind::kBackup && !outcome.copies_go_on)
    SettleCopies(run_id, outcome.event, outcome.state == RunState::kCompleted);
  if (kind == JobKind::kBackup && outcome.state == RunState::kFailed) {
    QueueRetry(run_id, outcome.retry);
    ExecuteSql("SELECT message FROM pgbackup.backups WHERE id = $1", SqlArguments().Int8(run_id));
    message = TextOfRow(0, 0);
  }
  if (kind == JobKind::kRestore && outcome.event != nullptr)
    ExecuteSql(
        "SELECT pgbackup._note_restore_errors($1, e.j->'errors') FROM (SELECT $2::jsonb) AS e (j) "
        "WHERE e.j ? 'errors'",
        SqlArguments().Int8(run_id).Text(outcome.event));
  if (kind == JobKind::kVerify && outcome.state == RunState::kCompleted) NoteProof(run_id);
  if (outcome.remove_leftovers) {
    QueueRemoval(kind, run_id);
    if (kind == JobKind::kBackup)
      QueueRemovalOfCopies(psprintf("b.id = " INT64_FORMAT, run_id), "unfinished");
  }
  return message;
}

void SettleCopies(int64 backup_id, const char* event, bool backup_completed) {
  ExecuteSql(
      "UPDATE pgbackup.copies SET finished_at = clock_timestamp(), "
      "status = CASE WHEN o.completed THEN 'completed' ELSE 'failed' END, "
      "file_size = CASE WHEN o.completed THEN o.file_size END, "
      "message = CASE WHEN NOT o.completed "
      "THEN coalesce(o.j->>'message', CASE WHEN $3 "
      "THEN 'interrupted: the pgbackup agent ended before the copy was complete' "
      "ELSE 'the backup did not complete' END) END, "
      "detail = nullif(o.j->>'detail', ''), hint = nullif(o.j->>'hint', ''), "
      "sqlstate = o.j->>'sqlstate', "
      "next_attempt_at = CASE WHEN $3 AND NOT o.completed THEN " PGBACKUP_NEXT_COPY
      " END "
      "FROM (SELECT c.id, e.j, ($2::jsonb->>'file_size')::bigint AS file_size, "
      "$3 AND coalesce((e.j->>'completed')::bool, false) AS completed "
      "FROM pgbackup.copies c LEFT JOIN jsonb_array_elements("
      "CASE WHEN $3 THEN $2::jsonb->'copies' END) AS e (j) ON e.j->>'storage' = c.storage "
      "WHERE c.backup_id = $1 AND c.status = 'in_progress') AS o WHERE copies.id = o.id",
      SqlArguments().Int8(backup_id).Text(event).Bool(backup_completed));
}

const char* RecordCopyOutcome(int64 copy_id, const Outcome& outcome) {
  SqlArguments arguments;
  arguments.Int8(copy_id)
      .Bool(outcome.state == RunState::kCompleted)
      .Bool(outcome.state == RunState::kCancelled)
      .Text(outcome.message)
      .Text(outcome.hint)
      .Text(outcome.sqlstate)
      .Text(outcome.event);
  // One that somebody has cancelled waits for somebody to ask for it again.
  if (ExecuteSql("UPDATE pgbackup.copies SET finished_at = clock_timestamp(), "
                 "status = CASE WHEN $2 THEN 'completed' ELSE 'failed' END, "
                 "file_size = (e.j->>'file_size')::bigint, "
                 "message = coalesce($4, e.j->>'message'), "
                 "detail = nullif(e.j->>'detail', ''), "
                 "hint = coalesce($5, nullif(e.j->>'hint', '')), "
                 "sqlstate = coalesce($6, e.j->>'sqlstate'), "
                 "next_attempt_at = CASE WHEN NOT $2 AND NOT $3 THEN " PGBACKUP_NEXT_COPY
                 " END FROM (SELECT $7::jsonb) AS e (j) WHERE id = $1 RETURNING message",
                 arguments) == 0)
    return nullptr;
  return TextOfRow(0, 0);
}

void FinishRemoval(int64 run_id, bool done, const char* event) {
  if (done) {
    // Of a backup; a copy that is complete is found to be so by the next attempt at it.
    if (event != nullptr)
      ExecuteSql(
          "SELECT pgbackup._adopt_backup(d.run_id, $2::jsonb->'adopted') FROM pgbackup.removals d "
          "WHERE d.run_id = $1 AND d.backup_id IS NULL AND $2::jsonb ? 'adopted'",
          SqlArguments().Int8(run_id).Text(event));
    ExecuteSql(
        "WITH d AS (DELETE FROM pgbackup.removals WHERE run_id = $1 RETURNING kept_oid), "
        "s AS (UPDATE pgbackup.restores r SET staging_database = NULL FROM d "
        "WHERE r.id = $1 AND d.kept_oid IS NULL) "
        "UPDATE pgbackup.restores r SET kept_database = NULL, kept_oid = NULL "
        "FROM d WHERE r.id = $1 AND r.kept_oid = d.kept_oid",
        SqlArguments().Int8(run_id));
    return;
  }
  ExecuteSql(
      "UPDATE pgbackup.removals SET attempts = attempts + 1, "
      "message = coalesce($2::jsonb->>'message', 'the agent ended unexpectedly'), "
      "not_before = " PGBACKUP_NEXT_ATTEMPT("attempts") " WHERE run_id = $1",
      SqlArguments().Int8(run_id).Text(event));
}

void FailRemoval(int64 run_id, const char* message) {
  ExecuteSql(
      "UPDATE pgbackup.removals SET attempts = attempts + 1, message = $2, "
      "not_before = " PGBACKUP_NEXT_ATTEMPT("attempts") " WHERE run_id = $1",
      SqlArguments().Int8(run_id).Text(message));
}

void TakeCancellations(void (*stop)(int64 run_id, const char* by)) {
  static constinit PreparedSql take(
      "DELETE FROM pgbackup.cancellations RETURNING run_id, requested_by");
  const uint64 count = take.Execute();
  SPITupleTable* requests = SPI_tuptable;
  for (uint64 row = 0; row < count; ++row) {
    bool is_null = false;
    const int64 run_id =
        DatumGetInt64(SPI_getbinval(requests->vals[row], requests->tupdesc, 1, &is_null));
    const char* by = SPI_getvalue(requests->vals[row], requests->tupdesc, 2);
    for (const JobKind kind : {JobKind::kBackup, JobKind::kRestore})
      ExecuteSql(
          psprintf("UPDATE %s SET status = 'cancelled', finished_at = clock_timestamp(), "
                   "sqlstate = '57014', message = format('cancelled by %%s before it began', "
                   "$2) WHERE id = $1 AND status = 'pending'",
                   TableOf(kind)),
          SqlArguments().Int8(run_id).Text(by));
    ExecuteSql(
        "UPDATE pgbackup.copies SET status = 'failed', finished_at = clock_timestamp(), "
        "sqlstate = '57014', message = format('cancelled by %s before it began', $2), "
        "next_attempt_at = NULL WHERE id = $1 AND status = 'pending'",
        SqlArguments().Int8(run_id).Text(by));
    stop(run_id, by);
  }
}

}  // namespace pgbackup
