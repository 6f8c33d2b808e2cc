// Waiting for a run: pgbackup.wait(), CALL pgbackup.run() and CALL pgbackup.run_restore().
#include "pg/caller.h"
#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/transaction.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_wait);
PG_FUNCTION_INFO_V1(pgbackup_run);
PG_FUNCTION_INFO_V1(pgbackup_run_restore);
}

namespace pgbackup {
namespace {

constexpr long kPollMs = 1000;           // how often progress is looked at
constexpr int kReportMs = 5000;          // how often an unchanged phase is reported
constexpr long kLauncherGoneMs = 60000;  // how long a run() waits for a launcher that is away
constexpr double kMegabyte = 1024.0 * 1024.0;

struct WaitedRun {
  bool found;
  bool own_transaction;  // inserted by the transaction that asks
  bool is_restore;
  char* database;
  char* status;
  char* message;
  char* detail;
  char* hint;
  char* sqlstate;
  char* result;  // what a completed run has to say, one line
};

// Looks at a run with a fresh snapshot. Texts are good until the end of the SPI connection.
WaitedRun LookAt(int64 run_id) {
  WaitedRun state = {};
  if (ExecuteSql("SELECT creator, kind, database::pg_catalog.text, status, message, detail, hint, "
                 "sqlstate, "
                 "result FROM pgbackup._run_state($1)",
                 SqlArguments().Int8(run_id)) == 0)
    return state;
  bool is_null = false;
  const Datum creator = ValueOfRow(0, 0, &is_null);
  state.found = true;
  state.own_transaction =
      !is_null && TransactionIdIsCurrentTransactionId(DatumGetTransactionId(creator));
  state.is_restore = strcmp(TextOfRow(0, 1), "restore") == 0;
  state.database = TextOfRow(0, 2);
  state.status = TextOfRow(0, 3);
  state.message = TextOfRow(0, 4);
  state.detail = TextOfRow(0, 5);
  state.hint = TextOfRow(0, 6);
  state.sqlstate = TextOfRow(0, 7);
  state.result = TextOfRow(0, 8);
  return state;
}

bool IsOver(const WaitedRun& state) {
  return strcmp(state.status, "pending") != 0 && strcmp(state.status, "in_progress") != 0;
}

[[noreturn]] void RaiseUnknown(int64 run_id) {
  ereport(ERROR,
          (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no run " INT64_FORMAT, run_id),
           errhint("SELECT id, database, status FROM pgbackup.list() shows backups, "
                   "pgbackup.restores the restores.")));
  pg_unreachable();
}

const char* KindOf(const WaitedRun& state) {
  return state.is_restore ? "restore" : "backup";
}

// Raises the error of a run that did not complete.
void RaiseUnlessCompleted(int64 run_id, const WaitedRun& state) {
  if (strcmp(state.status, "completed") == 0 || strcmp(state.status, "expired") == 0) return;
  const char* code = state.sqlstate;
  const bool has_code = code != nullptr && strlen(code) == 5;
  ereport(ERROR, (errcode(has_code ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4])
                                   : ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                  errmsg("%s " INT64_FORMAT " of database \"%s\" %s: %s", KindOf(state), run_id,
                         state.database, state.status,
                         state.message == nullptr ? "no reason is known" : state.message),
                  state.detail == nullptr ? 0 : errdetail("%s", state.detail),
                  state.hint == nullptr ? 0 : errhint("%s", state.hint)));
}

// What run() has told the client so far.
struct Reported {
  char phase[kMaxPhase];
  TimestampTz at;
};

// ", 3 of 12 tables", as far as that is known.
const char* TablesInWords(const AgentProgress& told) {
  if (!told.knows_tables) return "";
  return psprintf(", " INT64_FORMAT " of " INT64_FORMAT " tables", told.tables_done,
                  told.tables_total);
}

// ", 20 MB/s", as far as that is known.
const char* RateInWords(const AgentProgress& told) {
  if (told.data_began == 0) return "";
  const TimestampTz until = told.data_ended == 0 ? GetCurrentTimestamp() : told.data_ended;
  const double seconds = static_cast<double>(until - told.data_began) / USECS_PER_SEC;
  if (seconds <= 0) return "";
  return psprintf(", %.1f MB/s", static_cast<double>(told.raw_bytes) / kMegabyte / seconds);
}

void ReportProgress(int64 run_id, Reported* reported) {
  RunProgress run;
  if (!FindProgress(run_id, &run)) return;
  const AgentProgress& told = run.told;
  const TimestampTz now = GetCurrentTimestamp();
  if (strcmp(told.phase, reported->phase) == 0 &&
      !TimestampDifferenceExceeds(reported->at, now, kReportMs))
    return;
  strlcpy(reported->phase, told.phase, sizeof reported->phase);
  reported->at = now;
  if (told.raw_bytes == 0) {
    ereport(NOTICE, (errmsg("%s", told.phase)));
    return;
  }
  const char* of_total =
      told.total_bytes == 0
          ? ""
          : psprintf(" of about %.0f MB", static_cast<double>(told.total_bytes) / kMegabyte);
  ereport(NOTICE, (errmsg("%s: %.0f MB%s %s, %.0f MB %s%s%s", told.phase,
                          static_cast<double>(told.raw_bytes) / kMegabyte, of_total,
                          run.kind == RunKind::kRestore ? "restored" : "read",
                          static_cast<double>(told.stored_bytes) / kMegabyte,
                          run.kind == RunKind::kRestore ? "fetched" : "stored", TablesInWords(told),
                          RateInWords(told))));
}

// CALL: starts a run through `start` (a SELECT with the procedure's own arguments), commits, and
// follows the run to its end, holding no snapshot while it waits.
void StartAndFollow(FunctionCallInfo fcinfo, const char* start, const Oid* types, int count) {
  CallContext* call = reinterpret_cast<CallContext*>(fcinfo->context);
  if (call == nullptr || !IsA(call, CallContext) || call->atomic)
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("a run that waits cannot be called inside a transaction block"),
                    errdetail("The run starts when its request is committed."),
                    errhint("Call it outside of BEGIN and COMMIT, or use the function that only "
                            "starts the run, and pgbackup.wait() after the commit.")));
  SqlArguments arguments;
  for (int i = 0; i < count; ++i) {
    if (PG_ARGISNULL(i))
      arguments.AddNull(types[i]);
    else
      arguments.Add(types[i], PG_GETARG_DATUM(i));
  }
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  ExecuteSql(start, arguments);
  const int64 run_id = Int8OfRow(0, 0);
  SPI_commit();
  ereport(NOTICE, (errmsg("run " INT64_FORMAT " is queued", run_id),
                   errhint("It goes on when you stop waiting; SELECT pgbackup.cancel(" INT64_FORMAT
                           ") ends it.",
                           run_id)));
  Reported reported = {};
  TimestampTz launcher_seen = GetCurrentTimestamp();
  for (;;) {
    PrepareToWait();
    const WaitedRun state = LookAt(run_id);
    if (!state.found) RaiseUnknown(run_id);
    if (IsOver(state)) {
      RaiseUnlessCompleted(run_id, state);
      ereport(NOTICE, (errmsg("%s", state.result)));
      break;
    }
    SPI_commit();
    ReportProgress(run_id, &reported);
    if (LauncherPid() != 0) launcher_seen = GetCurrentTimestamp();
    if (TimestampDifferenceExceeds(launcher_seen, GetCurrentTimestamp(), kLauncherGoneMs))
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("the pgbackup launcher is not running"),
                      errdetail("Run " INT64_FORMAT " stays queued until it is.", run_id),
                      errhint("Look for \"pgbackup launcher\" in the server's log.")));
    WaitForChange(kPollMs);
  }
  FinishWaiting();
  SPI_finish();
}

// A context of errors that keeps the statement, which holds a passkey, out of the server's log.
void HideStatement(void* /*argument*/) {
  errhidestmt(true);
}

long MillisecondsOf(const Interval* interval) {
  const double days = interval->day + interval->month * 30.0;
  const double total = days * 86400000.0 + static_cast<double>(interval->time) / 1000.0;
  return total > 1e12 ? static_cast<long>(1e12) : static_cast<long>(total);
}

}  // namespace
}  // namespace pgbackup

using namespace pgbackup;

Datum pgbackup_wait(PG_FUNCTION_ARGS) {
  RefuseRestrictedOperation();  // it would keep the server's own statement waiting
  if (PG_ARGISNULL(0))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("run id must not be null"),
                    errhint("pgbackup.create() and pgbackup.restore() return the id.")));
  const int64 run_id = PG_GETARG_INT64(0);
  const long timeout = PG_ARGISNULL(1) ? -1 : MillisecondsOf(PG_GETARG_INTERVAL_P(1));
  if (!PG_ARGISNULL(1) && timeout < 0)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("timeout must not be negative"),
             errhint("Leave it out to wait for as long as it takes.")));
  if (IsolationUsesXactSnapshot())
    ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
                    errmsg("cannot wait for a run in this isolation level"),
                    errdetail("A transaction with one snapshot never sees the run change."),
                    errhint("Wait in a READ COMMITTED transaction.")));
  const TimestampTz begin = GetCurrentTimestamp();
  char* status = nullptr;
  MemoryContext caller = CurrentMemoryContext;
  SPI_connect();
  for (;;) {
    PrepareToWait();
    const WaitedRun state = LookAt(run_id);
    if (!state.found) RaiseUnknown(run_id);
    if (state.own_transaction)
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
               errmsg("run " INT64_FORMAT " starts only when this transaction commits", run_id),
               errhint("Commit first, then wait; or use CALL pgbackup.run().")));
    status = MemoryContextStrdup(caller, state.status);
    if (IsOver(state)) break;
    long sleep = kPollMs * 60;
    if (timeout >= 0) {
      const long waited = TimestampDifferenceMilliseconds(begin, GetCurrentTimestamp());
      if (waited >= timeout) break;
      sleep = Min(sleep, timeout - waited);
    }
    WaitForChange(sleep);
  }
  FinishWaiting();
  SPI_finish();
  PG_RETURN_TEXT_P(cstring_to_text(status));
}

Datum pgbackup_run(PG_FUNCTION_ARGS) {
  static const Oid kTypes[] = {NAMEOID,      TEXTOID,      TEXTARRAYOID, TEXTARRAYOID,
                               TEXTARRAYOID, TEXTARRAYOID, TEXTOID,      TEXTOID,
                               INT4OID,      TEXTOID,      TEXTOID};
  StartAndFollow(fcinfo, "SELECT pgbackup.create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                 kTypes, lengthof(kTypes));
  PG_RETURN_VOID();
}

Datum pgbackup_run_restore(PG_FUNCTION_ARGS) {
  static const Oid kTypes[] = {
      INT8OID, NAMEOID, BOOLOID, BOOLOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID, INT4OID,     TEXTOID,
      BOOLOID, TEXTOID, TEXTOID, BOOLOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID};
  constexpr int kPasskey = 8;
  ErrorContextCallback discreet = {error_context_stack, HideStatement, nullptr};
  if (!PG_ARGISNULL(kPasskey)) error_context_stack = &discreet;
  StartAndFollow(fcinfo,
                 "SELECT pgbackup.restore($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                 "$14, $15, $16, $17)",
                 kTypes, lengthof(kTypes));
  error_context_stack = discreet.previous;
  PG_RETURN_VOID();
}
