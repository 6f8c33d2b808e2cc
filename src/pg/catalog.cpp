#include "pg/catalog.h"

#include "pg/job_json.h"
#include "pg/settings.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

const char* TableOf(JobKind kind) {
  return kind == JobKind::kRestore ? "pgbackup.restores" : "pgbackup.backups";
}

// What the agent of a run may have left is removed by a job of its own, until that has worked.
void QueueRemoval(JobKind kind, int64 run_id) {
  const char* sql = kind == JobKind::kBackup
                        ? "INSERT INTO pgbackup.removals (run_id, storage, file_name, reason) "
                          "SELECT id, storage, file_name, 'unfinished' FROM pgbackup.backups "
                          "WHERE id = $1 AND file_name IS NOT NULL ON CONFLICT (run_id) DO NOTHING"
                        : "INSERT INTO pgbackup.removals (run_id, target_database, reason) "
                          "SELECT id, target_database, 'unfinished' FROM pgbackup.restores "
                          "WHERE id = $1 ON CONFLICT (run_id) DO NOTHING";
  ExecuteSql(sql, SqlArguments().Int8(run_id));
}

}  // namespace

bool ExtensionExists() {
  return OidIsValid(get_extension_oid("pgbackup", true));
}

uint64 FailInterruptedRuns() {
  // Another backup that is complete may have the same folder when the name template lacks {id}:
  // then nothing is removed.
  ExecuteSql(
      "INSERT INTO pgbackup.removals (run_id, storage, file_name, reason) "
      "SELECT b.id, b.storage, b.file_name, 'interrupted' FROM pgbackup.backups b "
      "WHERE b.status = 'in_progress' AND b.file_name IS NOT NULL "
      "AND NOT EXISTS (SELECT FROM pgbackup.backups o WHERE o.status = 'completed' "
      "AND o.storage = b.storage AND o.file_name = b.file_name) "
      "ON CONFLICT (run_id) DO NOTHING");
  ExecuteSql(
      "INSERT INTO pgbackup.removals (run_id, target_database, reason) "
      "SELECT id, target_database, 'interrupted' FROM pgbackup.restores "
      "WHERE status = 'in_progress' ON CONFLICT (run_id) DO NOTHING");
  uint64 count = 0;
  for (const JobKind kind : {JobKind::kBackup, JobKind::kRestore})
    count += ExecuteSql(psprintf(
        "UPDATE %s SET status = 'failed', finished_at = clock_timestamp(), sqlstate = '57P01', "
        "message = 'interrupted: the server or the pgbackup launcher stopped during the run', "
        "hint = 'Start it again; scheduled runs come again by themselves.' "
        "WHERE status = 'in_progress'",
        TableOf(kind)));
  return count;
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
      "checksum = e.j->>'checksum', format = coalesce(e.j->>'format', format), "
      "manifest = e.j->'manifest'";
  const char* extra = kind == JobKind::kBackup ? backup_columns : "";
  const char* message = nullptr;
  if (ExecuteSql(psprintf(common, TableOf(kind), extra), arguments) > 0) message = TextOfRow(0, 0);
  if (outcome.remove_leftovers) QueueRemoval(kind, run_id);
  return message;
}

void FinishRemoval(int64 run_id, bool done, const char* event) {
  if (done) {
    ExecuteSql("DELETE FROM pgbackup.removals WHERE run_id = $1", SqlArguments().Int8(run_id));
    return;
  }
  // Waits a minute, then twice as long each time, an hour at most.
  ExecuteSql(
      "UPDATE pgbackup.removals SET attempts = attempts + 1, "
      "message = coalesce($2::jsonb->>'message', 'the agent ended unexpectedly'), "
      "not_before = clock_timestamp() + least(interval '1 hour', "
      "interval '1 minute' * power(2, least(attempts, 10))) WHERE run_id = $1",
      SqlArguments().Int8(run_id).Text(event));
}

void TakeCancellations(void (*stop)(int64 run_id, const char* by)) {
  const uint64 count =
      ExecuteSql("DELETE FROM pgbackup.cancellations RETURNING run_id, requested_by");
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
    stop(run_id, by);
  }
}

uint64 InsertScheduledRuns(TimestampTz slot) {
  List* names = NIL;
  SplitNames(settings.databases, &names);
  StringInfoData wanted;  // an array of names; "*" stands for all
  initStringInfo(&wanted);
  bool all = false;
  ListCell* cell;
  Datum* elements =
      static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<size_t>(list_length(names) + 1)));
  int count = 0;
  foreach (cell, names) {
    const char* name = static_cast<const char*>(lfirst(cell));
    if (strcmp(name, "*") == 0)
      all = true;
    else
      elements[count++] = CStringGetTextDatum(name);
  }
  ArrayType* array = construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT);
  SqlArguments arguments;
  arguments.Time(slot).Bool(all).Add(TEXTARRAYOID, PointerGetDatum(array));
  return ExecuteSql(
      "INSERT INTO pgbackup.backups "
      "(database, storage, backup_type, schedule, slot, format, created_by, options) "
      "SELECT w.name, current_setting('pgbackup.storage'), 'scheduled', 'default', $1, "
      "current_setting('pgbackup.format'), session_user, pgbackup._default_options() "
      "FROM (SELECT datname::text FROM pg_database "
      "      WHERE $2 AND datallowconn AND NOT datistemplate "
      "      UNION SELECT unnest($3)) AS w (name) "
      "WHERE NOT EXISTS (SELECT FROM pgbackup.backups b WHERE b.schedule = 'default' "
      "AND b.slot = $1 AND b.database = w.name::name) ORDER BY w.name",
      arguments);
}

}  // namespace pgbackup
