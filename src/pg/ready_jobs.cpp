// Taking the next job off a table: the row moves to in_progress and becomes the agent's job.
#include "shared/naming/name_template.h"

#include "pg/catalog.h"
#include "pg/job_json.h"
#include "pg/settings.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

struct RunTime {
  pg_time_t now;
  pg_tz* zone;
};

size_t FormatTime(char* out, size_t size, const char* pattern, const void* context) noexcept {
  const RunTime* time = static_cast<const RunTime*>(context);
  return pg_strftime(out, size, pattern, pg_localtime(&time->now, time->zone));
}

const char* OrEmpty(const char* text) {
  return text == nullptr ? "" : text;
}

// A row that cannot even be prepared. It stays pending; the caller fails it.
ReadyJob Unprepared(int64 run_id, const char* database, const char* error) {
  ReadyJob job = {};
  job.found = true;
  job.run_id = run_id;
  namestrcpy(&job.database, database);
  job.error = error;
  return job;
}

ReadyJob Prepared(int64 run_id, const char* database, const char* json, MemoryContext context) {
  ReadyJob job = {};
  job.found = true;
  job.run_id = run_id;
  namestrcpy(&job.database, database);
  job.json = JobText(json, context);
  return job;
}

void Tell(int64 run_id, const char* database, Candidate* candidate) {
  candidate->run_id = run_id;
  namestrcpy(&candidate->database, database);
}

ReadyJob TakeBackup(TimestampTz now, MemoryContext context, Candidate* candidate) {
  static constinit PreparedSql next(
      "SELECT id, database, schedule, label, backup_type, pgbackup._instance()->>'name' "
      "FROM pgbackup.backups "
      "WHERE status = 'pending' AND (not_before IS NULL OR not_before <= $1) "
      "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
  if (next.Execute(SqlArguments().Time(now)) == 0) return {};
  const int64 id = Int8OfRow(0, 0);
  const char* database = TextOfRow(0, 1);
  Tell(id, database, candidate);
  NameFields fields;
  fields.cluster = ClusterName();
  fields.instance = OrEmpty(TextOfRow(0, 5));
  fields.environment = settings.environment;
  fields.database = database;
  fields.schedule = OrEmpty(TextOfRow(0, 2));
  fields.label = OrEmpty(TextOfRow(0, 3));
  fields.type = OrEmpty(TextOfRow(0, 4));
  fields.id = id;
  ExecuteSql("SELECT why, is_unread::int::int8 FROM pgbackup._why_no_backup()");
  if (const char* why = TextOfRow(0, 0)) {
    ReadyJob refused = Unprepared(id, database, MemoryContextStrdup(context, why));
    refused.needs_reload = Int8OfRow(0, 1) != 0;
    return refused;
  }
  const RunTime time = {static_cast<pg_time_t>(::time(nullptr)), ScheduleZone()};
  char file_name[kMaxNameLength + 1];
  const char* error = nullptr;
  if (ExpandName(settings.name_template, fields, {FormatTime, &time}, file_name, &error) == 0)
    return Unprepared(id, database, error);

  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  arguments.Text(file_name)
      .Text(ClusterName())
      .Int4(settings.lock_wait_timeout)
      .Bool(settings.include_globals)
      .Int4(settings.lock_guard_timeout)
      .Int8(static_cast<int64>(settings.parallel_threshold) * 1024)
      .Int8(static_cast<int64>(settings.split_table_size) * 1024)
      .Bool(NamesAreUnique(settings.name_template));
  ExecuteSql(
      "WITH b AS (UPDATE pgbackup.backups SET status = 'in_progress', "
      "started_at = clock_timestamp(), file_name = $7, system_identifier = $6, "
      "instance = pgbackup._instance()->>'name', "
      "run_key = replace(gen_random_uuid()::text, '-', ''), "
      "environment = nullif(current_setting('pgbackup.environment'), ''), "
      "retain_until = pgbackup._retain_until(storage, clock_timestamp()), "
      "server_version = current_setting('server_version'), "
      "s3_url = CASE WHEN pgbackup._s3_bucket(storage) IS NOT NULL "
      "THEN pgbackup._storage_place(storage) || '/' || $7 END, "
      "s3_bucket = pgbackup._s3_bucket(storage), "
      "s3_region = pgbackup._s3_option(storage, 'region') "
      "WHERE id = $1 AND status = 'pending' RETURNING *), "
      "c AS (INSERT INTO pgbackup.copies (backup_id, storage, status, attempts, started_at) "
      "SELECT b.id, w.storage, 'in_progress', 1, b.started_at "
      "FROM b, pgbackup._wanted_copies(b.storage) AS w (storage) RETURNING id, storage) "
      "SELECT jsonb_build_object('protocol', 1, 'job', 'backup', 'id', b.id, "
      "'database', b.database, 'file_name', b.file_name, 'backup_type', b.backup_type, "
      "'run_key', b.run_key, 'name_is_unique', $14, " PGBACKUP_INSTANCE_JSON
      ", "
      "'schedule', b.schedule, 'label', b.label, 'created_by', b.created_by, "
      "'created_at', b.created_at, "
      "'options', b.options || jsonb_build_object('lock_wait_timeout_ms', $9, "
      "'include_globals', $10, 'lock_guard_timeout_ms', $11, 'parallel_threshold_bytes', $12, "
      "'split_table_bytes', $13) || " PGBACKUP_BOUND_EXTENSIONS_JSON
      ", "
      "'server', " PGBACKUP_SERVER_JSON ", 'encryption', " PGBACKUP_ENCRYPTION_JSON
      ", 'storage', " PGBACKUP_STORAGE_JSON("b.storage") ", 'copies', " PGBACKUP_COPIES_JSON(
          "c") ", 'cluster', " PGBACKUP_CLUSTER_JSON("$8") ", 'hooks', " PGBACKUP_HOOKS_JSON
                                                           ", " PGBACKUP_MAX_SIZE_JSON
                                                           ", " PGBACKUP_STALL_JSON
                                                           ", " PGBACKUP_NICE_JSON ")::text FROM b",
      arguments);
  return Prepared(id, database, TextOfRow(0, 0), context);
}

ReadyJob TakeUndo(int64 id, const char* database, MemoryContext context) {
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  if (ExecuteSql(
          "WITH r AS (UPDATE pgbackup.restores SET status = 'in_progress', "
          "started_at = clock_timestamp() WHERE id = $1 AND status = 'pending' RETURNING *) "
          "SELECT jsonb_build_object('protocol', 1, 'job', 'undo', 'id', r.id, "
          "'target_database', r.target_database, 'incoming_database', u.kept_database, "
          "'kept_database', pgbackup._free_name(r.target_database, '__before_undo_' || r.id), "
          "'server', " PGBACKUP_SERVER_JSON ")::text FROM r, pgbackup.restores u "
          "WHERE u.id = (r.options->>'restore_id')::bigint AND u.kept_database IS NOT NULL",
          arguments) == 0)
    return Unprepared(id, database, "nothing that the restore has replaced is kept any more");
  return Prepared(id, database, TextOfRow(0, 0), context);
}

ReadyJob TakeRestore(MemoryContext context, Candidate* candidate) {
  static constinit PreparedSql next(
      "SELECT id, target_database, mode FROM pgbackup.restores "
      "WHERE status = 'pending' AND mode <> 'verify' AND (safety_backup_id IS NULL OR "
      "EXISTS (SELECT FROM pgbackup.backups b WHERE b.id = safety_backup_id AND "
      "b.status = 'completed')) "
      "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
  if (next.Execute() == 0) return {};
  const int64 id = Int8OfRow(0, 0);
  const char* database = TextOfRow(0, 1);
  Tell(id, database, candidate);
  if (strcmp(TextOfRow(0, 2), "undo") == 0) return TakeUndo(id, database, context);
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  if (ExecuteSql(
          "WITH r AS (UPDATE pgbackup.restores SET status = 'in_progress', "
          "started_at = clock_timestamp(), staging_database = CASE WHEN mode = 'restore' "
          "THEN pgbackup._free_name(target_database, '__restore_' || id) END "
          "WHERE id = $1 AND status = 'pending' RETURNING *) "
          "SELECT jsonb_build_object('protocol', 1, 'job', 'restore', 'id', r.id, "
          "'backup_id', b.id, 'file_name', b.file_name, 'checksum', b.checksum, "
          "'target_database', r.target_database, 'staging_database', r.staging_database, "
          "'kept_database', "
          "pgbackup._free_name(r.target_database, '__before_restore_' || r.id), "
          "'raw_bytes_per_second', pgbackup._restore_rate(r.database), "
          "'options', r.options || " PGBACKUP_LOCK_WAIT_JSON " || " PGBACKUP_BOUND_EXTENSIONS_JSON
          ", " PGBACKUP_STALL_JSON ", 'server', " PGBACKUP_SERVER_JSON
          ", 'encryption', " PGBACKUP_ENCRYPTION_JSON
          ", 'storage', " PGBACKUP_STORAGE_JSON("b.storage") ", 'copies', " PGBACKUP_COPIES_JSON(
              PGBACKUP_COMPLETE_COPIES) ")::text FROM r, pgbackup.backups b WHERE b.id = backup_id",
          arguments) == 0)
    return Unprepared(id, database, "the backup to restore is not in the catalog any more");
  return Prepared(id, database, TextOfRow(0, 0), context);
}

ReadyJob TakeVerification(MemoryContext context, Candidate* candidate) {
  static constinit PreparedSql next(
      "SELECT id, database FROM pgbackup.restores "
      "WHERE status = 'pending' AND mode = 'verify' "
      "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
  if (next.Execute() == 0) return {};
  const int64 id = Int8OfRow(0, 0);
  const char* database = TextOfRow(0, 1);
  Tell(id, database, candidate);
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  if (ExecuteSql(
          "WITH r AS (UPDATE pgbackup.restores SET status = 'in_progress', "
          "started_at = clock_timestamp(), "
          "staging_database = CASE WHEN options->>'level' = 'restore' "
          "THEN pgbackup._free_name(target_database, '__restore_' || id) END "
          "WHERE id = $1 AND status = 'pending' RETURNING *) "
          "SELECT jsonb_build_object('protocol', 1, 'job', 'verify', 'id', r.id, "
          "'file_name', b.file_name, 'checksum', b.checksum, "
          "'options', r.options || " PGBACKUP_LOCK_WAIT_JSON " || " PGBACKUP_BOUND_EXTENSIONS_JSON
          ", " PGBACKUP_STALL_JSON ", "
          "'database', b.database, 'staging_database', r.staging_database, " PGBACKUP_NICE_JSON
          ", 'server', " PGBACKUP_SERVER_JSON ", 'encryption', " PGBACKUP_ENCRYPTION_JSON
          ", 'storage', " PGBACKUP_STORAGE_JSON(
              "b.storage") ")::text FROM r, pgbackup.backups b WHERE b.id = backup_id",
          arguments) == 0)
    return Unprepared(id, database, "the backup to verify is not in the catalog any more");
  return Prepared(id, database, TextOfRow(0, 0), context);
}

}  // namespace

ReadyJob TakeNext(JobKind kind, TimestampTz now, MemoryContext context, Candidate* candidate) {
  if (kind == JobKind::kVerify) return TakeVerification(context, candidate);
  return kind == JobKind::kRestore ? TakeRestore(context, candidate)
                                   : TakeBackup(now, context, candidate);
}

ReadyJob TakeCopy(TimestampTz now, MemoryContext context, Candidate* candidate) {
  // The share lock keeps the backup from being deleted meanwhile.
  static constinit PreparedSql next(
      "SELECT c.id, b.database FROM pgbackup.copies c "
      "JOIN pgbackup.backups b ON b.id = c.backup_id "
      "WHERE c.status IN ('pending', 'failed') AND c.next_attempt_at <= $1 "
      "AND b.status = 'completed' ORDER BY c.next_attempt_at LIMIT 1 "
      "FOR UPDATE OF c SKIP LOCKED FOR SHARE OF b SKIP LOCKED");
  if (next.Execute(SqlArguments().Time(now)) == 0) return {};
  const int64 id = Int8OfRow(0, 0);
  const char* database = TextOfRow(0, 1);
  Tell(id, database, candidate);
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  ExecuteSql(
      "WITH c AS (UPDATE pgbackup.copies SET status = 'in_progress', attempts = attempts + 1, "
      "next_attempt_at = NULL, started_at = clock_timestamp(), finished_at = NULL, "
      "message = NULL, detail = NULL, hint = NULL, sqlstate = NULL WHERE id = $1 RETURNING *) "
      "SELECT jsonb_build_object('protocol', 1, 'job', 'copy', 'id', c.id, "
      "'file_name', b.file_name, 'checksum', b.checksum, " PGBACKUP_NICE_JSON
      ", " PGBACKUP_INSTANCE_JSON
      ", 'source', " PGBACKUP_STORAGE_JSON("b.storage") ", 'storage', " PGBACKUP_STORAGE_JSON(
          "c.storage") ")::text FROM c JOIN pgbackup.backups b ON b.id = c.backup_id",
      arguments);
  return Prepared(id, database, TextOfRow(0, 0), context);
}

TimestampTz NextCopyTime() {
  static constinit PreparedSql earliest(
      "SELECT min(c.next_attempt_at) FROM pgbackup.copies c "
      "JOIN pgbackup.backups b ON b.id = c.backup_id AND b.status = 'completed' "
      "WHERE c.next_attempt_at IS NOT NULL");
  earliest.Execute();
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

ReadyJob NextRemoval(TimestampTz now, MemoryContext context, Candidate* candidate) {
  static constinit PreparedSql next(
      "SELECT d.run_id, coalesce((SELECT b.database FROM pgbackup.backups b "
      "WHERE b.id = coalesce(d.backup_id, d.run_id)), d.target_database, '') "
      "FROM pgbackup.removals d WHERE d.not_before <= $1 ORDER BY d.not_before LIMIT 1");
  if (next.Execute(SqlArguments().Time(now)) == 0) return {};
  const int64 id = Int8OfRow(0, 0);
  const char* database = TextOfRow(0, 1);
  Tell(id, database, candidate);
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  ExecuteSql(
      "SELECT (CASE WHEN d.target_database IS NULL "
      "THEN jsonb_build_object('job', 'remove', 'file_name', d.file_name, "
      "'reason', d.reason, 'run_key', d.run_key, " PGBACKUP_INSTANCE_JSON ", "
      "'earlier_system_identifiers', (SELECT i.system_identifiers FROM pgbackup.instance i), "
      "'storage', " PGBACKUP_STORAGE_JSON("d.storage")
      ") ELSE jsonb_build_object('job', 'drop', 'target_database', d.target_database, "
      "'kept_oid', d.kept_oid::bigint) END "
      "|| jsonb_build_object('protocol', 1, 'id', coalesce(d.backup_id, d.run_id), " PGBACKUP_NICE_JSON
      ", 'server', " PGBACKUP_SERVER_JSON
      "))::text FROM pgbackup.removals d WHERE d.run_id = $1",
      arguments);
  return Prepared(id, database, TextOfRow(0, 0), context);
}

TimestampTz NextRemovalTime() {
  static constinit PreparedSql earliest("SELECT min(not_before) FROM pgbackup.removals");
  earliest.Execute();
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

}  // namespace pgbackup
