// What retention keeps and why: the catalog's rows given to the core's plan.
#include <span>

#include "shared/retention/retention.h"

#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/time_zone.h"
#include "pg/transaction.h"

extern "C" {
#include "access/xlog.h"

PG_FUNCTION_INFO_V1(pgbackup_plan_retention);
}

namespace pgbackup {
namespace {

// Backups of a part of a database are a family for each schedule: they are no substitute for a
// whole one, and their sizes say nothing about it.
// Of a backup b: made by this cluster, be it under a system identifier that it had earlier.
#define PGBACKUP_IS_OWN(b)               \
  "((" b ".system_identifier = $1 OR " b \
  ".system_identifier = ANY ("           \
  "(SELECT i.system_identifiers FROM pgbackup.instance i)::text[])) IS TRUE)"
// With a CTE `present`: of another database than the one that has its name now.
#define PGBACKUP_IS_OTHERS(b)                                        \
  "(" b ".database_oid IS NOT NULL AND (" b ".database, " b          \
  ".database_oid) NOT IN (SELECT p.database, p.oid FROM present p) " \
  "AND " b ".database NOT IN (SELECT r.database FROM pgbackup.recreated_databases r))"
#define PGBACKUP_IS_FORMER(b) "(" PGBACKUP_IS_OWN(b) " AND " PGBACKUP_IS_OTHERS(b) ")"
#define PGBACKUP_COUNTS(b) "(" PGBACKUP_IS_OWN(b) " AND NOT " PGBACKUP_IS_OTHERS(b) ")"
#define PGBACKUP_IS_PART(b)                \
  "(coalesce(" b                           \
  ".options->>'content', 'all') <> 'all' " \
  "OR " b ".options ?| '{schemas,tables,exclude_tables,exclude_table_data}')"
#define PGBACKUP_PART(b) \
  "CASE WHEN " PGBACKUP_IS_PART(b) " THEN coalesce('.' || " b ".schedule, '-') ELSE '' END"

#define PGBACKUP_COLUMNS                                                      \
  "b.id, b.database, b.schedule, b.finished_at, b.raw_size, b.retain_until, " \
  "b.system_identifier, b.database_oid, b.pinned, b.verified_at, b.status, b.options"

// Of `backups` b, with the rules of their schedules. $1 is the system identifier.
#define PGBACKUP_PLANNED(backups) \
  "SELECT b.id, dense_rank() OVER (ORDER BY b.database, " PGBACKUP_PART("b") " COLLATE \"C\"), " \
  "dense_rank() OVER (ORDER BY coalesce('.' || b.schedule, '') COLLATE \"C\"), " \
  "extract(epoch FROM b.finished_at)::bigint, coalesce(b.raw_size, -1), " \
  "coalesce(extract(epoch FROM b.retain_until)::bigint, 0), " \
  "NOT " PGBACKUP_IS_OWN("b") ", " PGBACKUP_IS_FORMER("b") ", " \
  "b.pinned, b.verified_at IS NOT NULL, " \
  "b.status = 'expired', " \
  "b.id IN (SELECT r.backup_id FROM pgbackup.restores r " \
  "WHERE r.status IN ('pending', 'in_progress')) " \
  "OR b.id IN (SELECT c.backup_id FROM pgbackup.copies c WHERE c.status = 'in_progress'), " \
  PGBACKUP_IS_PART("b") ", " \
  "n.retention_count, n.retention_days, n.retention_daily, n.retention_weekly, " \
  "n.retention_monthly, n.retention_yearly, n.name IS NOT NULL FROM " backups " b " \
  "LEFT JOIN pgbackup.named_schedules n ON n.name = b.schedule " \
  "AND num_nonnulls(n.retention_count, n.retention_days, n.retention_daily, n.retention_weekly, " \
  "n.retention_monthly, n.retention_yearly) > 0"

constexpr const char* kAllBackupsSql =
    "WITH counted AS MATERIALIZED (SELECT " PGBACKUP_COLUMNS
    " FROM pgbackup.backups b "
    "WHERE b.status IN ('completed', 'expired')), "
    "present AS MATERIALIZED (SELECT * FROM pgbackup._present_oids(ARRAY("
    "SELECT DISTINCT b.database FROM counted b WHERE b.status = 'completed'))) " PGBACKUP_PLANNED(
        "counted");

// Those of database $2. Of the expired ones only the sizes count, and of these the last kUsualSizes
// before the newest backup of the family: so many ($3 and one more) are looked for in an index, and
// those that completed in the same second, to the plan, as the last one of them come along.
constexpr const char* kBackupsOfDatabaseSql =
    "WITH completed AS MATERIALIZED (SELECT " PGBACKUP_COLUMNS " FROM pgbackup.backups b "
    "WHERE b.database = $2 AND b.status = 'completed'), "
    "present AS MATERIALIZED (SELECT * FROM pgbackup._present_oids(ARRAY[$2])), "
    "family AS (SELECT " PGBACKUP_PART("b") " AS part, max(b.finished_at) "
    "FILTER (WHERE " PGBACKUP_COUNTS("b") ") AS newest "
    "FROM completed b GROUP BY 1), "
    "expired AS (SELECT e.* FROM family f CROSS JOIN LATERAL (SELECT "
    "(SELECT b.finished_at FROM pgbackup.backups b WHERE b.database = $2 AND b.status = 'expired' "
    "AND " PGBACKUP_PART("b") " = f.part AND " PGBACKUP_COUNTS("b") " "
    "AND b.raw_size >= 0 AND b.finished_at < f.newest - interval '1 second' "
    "ORDER BY b.finished_at DESC OFFSET $3 LIMIT 1)) AS t (at), "
    "LATERAL (SELECT " PGBACKUP_COLUMNS " FROM pgbackup.backups b "
    "WHERE b.database = $2 AND b.status = 'expired' AND " PGBACKUP_PART("b") " = f.part "
    "AND b.finished_at >= coalesce(t.at - interval '1 second', '-infinity') "
    "UNION ALL SELECT " PGBACKUP_COLUMNS " FROM pgbackup.backups b "
    "WHERE t.at IS NULL AND b.database = $2 AND b.status = 'expired' AND " PGBACKUP_PART("b")
    " = f.part AND b.finished_at IS NULL) AS e) "
    PGBACKUP_PLANNED("(SELECT * FROM completed UNION ALL SELECT * FROM expired)");

enum BackupColumn {
  kId,
  kFamily,
  kSeries,
  kCompletedAt,
  kBytes,
  kLockedUntil,
  kForeign,
  kFormer,
  kPinned,
  kVerified,
  kGone,
  kInUse,
  kIsPart,
  kFirstRule,  // six of them, in the order of the query
  kHasOwnRules = kFirstRule + 6
};

bool BoolOfRow(uint64 row, int column) {
  bool is_null = false;
  const Datum value = ValueOfRow(row, column, &is_null);
  return !is_null && DatumGetBool(value);
}

RetentionPolicy PolicyOfSettings() {
  RetentionPolicy policy;
  policy.count = settings.retention_count;
  policy.days = settings.retention_days;
  policy.daily = settings.retention_daily;
  policy.weekly = settings.retention_weekly;
  policy.monthly = settings.retention_monthly;
  policy.yearly = settings.retention_yearly;
  policy.minimum = settings.retention_minimum;
  return policy;
}

int RuleOfRow(uint64 row, int rule) {
  bool is_null = false;
  const Datum value = ValueOfRow(row, kFirstRule + rule, &is_null);
  return is_null ? 0 : DatumGetInt32(value);
}

// The rules of the backup's schedule, if it has its own; `settings_policy` otherwise.
const RetentionPolicy* PolicyOfRow(uint64 row, const RetentionPolicy* settings_policy,
                                   MemoryContext context) {
  if (!BoolOfRow(row, kHasOwnRules)) return settings_policy;
  RetentionPolicy* policy =
      static_cast<RetentionPolicy*>(MemoryContextAlloc(context, sizeof(RetentionPolicy)));
  *policy = {RuleOfRow(row, 0), RuleOfRow(row, 1), RuleOfRow(row, 2),       RuleOfRow(row, 3),
             RuleOfRow(row, 4), RuleOfRow(row, 5), settings_policy->minimum};
  return policy;
}

RetentionBackup BackupOfRow(uint64 row, const RetentionPolicy* policy) {
  RetentionBackup backup;
  backup.id = Int8OfRow(row, kId);
  // Odd when of a part: the words for it depend on that.
  backup.family = Int8OfRow(row, kFamily) * 2 + (BoolOfRow(row, kIsPart) ? 1 : 0);
  backup.series = Int8OfRow(row, kSeries);
  backup.policy = policy;
  backup.completed_at = Int8OfRow(row, kCompletedAt);
  backup.bytes = Int8OfRow(row, kBytes);
  backup.locked_until = Int8OfRow(row, kLockedUntil);
  backup.foreign = BoolOfRow(row, kForeign);
  backup.former = BoolOfRow(row, kFormer);
  backup.pinned = BoolOfRow(row, kPinned);
  backup.verified = BoolOfRow(row, kVerified);
  backup.gone = BoolOfRow(row, kGone);
  backup.in_use = BoolOfRow(row, kInUse);
  return backup;
}

const char* SizeInWords(int64 bytes) {
  return text_to_cstring(DatumGetTextPP(DirectFunctionCall1(pg_size_pretty, Int64GetDatum(bytes))));
}

const char* NewestInWords(const RetentionBackup& backup) {
  const char* what = backup.family % 2 == 0 ? "the newest backup of its database"
                                            : "the newest backup of a part of its database";
  if (backup.usual_bytes < 0) return what;
  return psprintf("%s; suspiciously small: %s, where %s are usual", what, SizeInWords(backup.bytes),
                  SizeInWords(backup.usual_bytes));
}

const char* ReasonInWords(const RetentionBackup& backup) {
  switch (backup.reason) {
    case RetentionReason::kForeign:
      return "made by another cluster";
    case RetentionReason::kPinned:
      return "pinned";
    case RetentionReason::kFormer:
      return "of a former database of this name";
    case RetentionReason::kLocked:
      return psprintf("locked in storage until %s",
                      timestamptz_to_str(time_t_to_timestamptz(backup.locked_until)));
    case RetentionReason::kInUse:
      return "being restored or copied";
    case RetentionReason::kNoRule:
      return "no retention rule is set";
    case RetentionReason::kNewest:
      return NewestInWords(backup);
    case RetentionReason::kVerified:
      return "the newest verified backup of its database";
    case RetentionReason::kCount:
      return psprintf("among the last %d", backup.policy->count);
    case RetentionReason::kDays:
      return psprintf("completed in the last %d days", backup.policy->days);
    case RetentionReason::kDaily:
      return "the last of its day";
    case RetentionReason::kWeekly:
      return "the last of its week";
    case RetentionReason::kMonthly:
      return "the last of its month";
    case RetentionReason::kYearly:
      return "the last of its year";
    case RetentionReason::kMinimum:
      return psprintf("among the last %d, which stay whatever their age", backup.policy->minimum);
    case RetentionReason::kDoubt:
      return "the newest backup of its database is suspiciously small";
    case RetentionReason::kUnneeded:
      break;
  }
  return "no rule keeps it";
}

// Runs the query for the backups of a database or, with null, of all. Returns the number of rows.
uint64 ReadBackups(const NameData* database) {
  static constinit PreparedSql all(kAllBackupsSql);
  static constinit PreparedSql of_database(kBackupsOfDatabaseSql);
  SqlArguments arguments;
  arguments.Text(psprintf(UINT64_FORMAT, GetSystemIdentifier()));
  if (database == nullptr) return all.Execute(arguments);
  return of_database.Execute(arguments.Add(NAMEOID, NameGetDatum(database)).Int4(kUsualSizes - 1));
}

// The backups of a database or, with null, of all, planned; in `context`.
std::span<RetentionBackup> PlannedBackups(const NameData* database, const RetentionPolicy* policy,
                                          MemoryContext context) {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  const uint64 count = ReadBackups(database);
  RetentionBackup* backups = static_cast<RetentionBackup*>(
      MemoryContextAllocHuge(context, sizeof(RetentionBackup) * (count + 1)));
  for (uint64 row = 0; row < count; ++row)
    backups[row] = BackupOfRow(row, PolicyOfRow(row, policy, context));
  SPI_finish();
  const std::span<RetentionBackup> planned(backups, count);
  PlanRetention(planned, timestamptz_to_time_t(GetCurrentTimestamp()), CoreZone(ScheduleZone()),
                settings.min_size_ratio);
  return planned;
}

}  // namespace
}  // namespace pgbackup

// (database, null for all) → one row per completed backup: whether it is kept, why, and whether it
// is suspiciously small.
Datum pgbackup_plan_retention(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  InitMaterializedSRF(fcinfo, 0);
  if (!IsPreloaded()) return static_cast<Datum>(0);  // there are no settings
  ReturnSetInfo* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const NameData* database = PG_ARGISNULL(0) ? nullptr : PG_GETARG_NAME(0);
  const RetentionPolicy policy = PolicyOfSettings();
  for (const RetentionBackup& backup : PlannedBackups(database, &policy, CurrentMemoryContext)) {
    if (backup.gone) continue;
    bool nulls[4] = {};
    Datum values[4] = {
        Int64GetDatum(backup.id), BoolGetDatum(backup.reason != RetentionReason::kUnneeded),
        CStringGetTextDatum(ReasonInWords(backup)), BoolGetDatum(backup.usual_bytes >= 0)};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return static_cast<Datum>(0);
}
