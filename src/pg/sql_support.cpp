// Small SQL-callable pieces that plpgsql cannot do itself: what the server knows and what the
// core checks. The functions themselves are in sql/parts.
#include <string_view>

#include "shared/compression.h"
#include "shared/state.h"

#include "pg/caller.h"
#include "pg/confinement.h"
#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/valid_text.h"

extern "C" {
#include "commands/trigger.h"

PG_FUNCTION_INFO_V1(pgbackup_require_server);
PG_FUNCTION_INFO_V1(pgbackup_is_preloaded);
PG_FUNCTION_INFO_V1(pgbackup_is_confined);
PG_FUNCTION_INFO_V1(pgbackup_wake_launcher);
PG_FUNCTION_INFO_V1(pgbackup_launcher_pid);
PG_FUNCTION_INFO_V1(pgbackup_launcher_state);
PG_FUNCTION_INFO_V1(pgbackup_launcher_trouble);
PG_FUNCTION_INFO_V1(pgbackup_caller_is_superuser);
PG_FUNCTION_INFO_V1(pgbackup_caller_may);
PG_FUNCTION_INFO_V1(pgbackup_caller);
PG_FUNCTION_INFO_V1(pgbackup_is_valid_name);
PG_FUNCTION_INFO_V1(pgbackup_shown_name);
PG_FUNCTION_INFO_V1(pgbackup_audit);
PG_FUNCTION_INFO_V1(pgbackup_log_full_queue);
PG_FUNCTION_INFO_V1(pgbackup_is_compression);
PG_FUNCTION_INFO_V1(pgbackup_cluster_name);
PG_FUNCTION_INFO_V1(pgbackup_metrics_label);
PG_FUNCTION_INFO_V1(pgbackup_guard_transition);
}

using namespace pgbackup;

// Raises an error unless the library is preloaded and this is the home database.
Datum pgbackup_require_server(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  RefuseRestrictedOperation();
  if (!IsPreloaded())
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("pgbackup is not loaded by this server"),
                    errdetail("Backups are started by a background worker, which the server starts "
                              "only for preloaded libraries."),
                    errhint("Add to postgresql.conf: shared_preload_libraries = 'pgbackup' "
                            "and restart the server.")));
  const char* here = get_database_name(MyDatabaseId);
  if (here == nullptr || strcmp(here, settings.home_database) != 0)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("pgbackup works from database \"%s\", not from \"%s\"",
                           settings.home_database, here == nullptr ? "?" : here),
                    errdetail("The launcher keeps its catalog in pgbackup.home_database."),
                    errhint("Connect to \"%s\" and CREATE EXTENSION pgbackup there, or set "
                            "pgbackup.home_database in postgresql.conf and restart the server.",
                            settings.home_database)));
  PG_RETURN_VOID();
}

Datum pgbackup_is_preloaded(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(IsPreloaded());
}

Datum pgbackup_is_confined(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(IsPreloaded() && IsConfined());
}

Datum pgbackup_wake_launcher(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  RefuseRestrictedOperation();
  if (IsPreloaded()) WakeLauncherAtCommit();
  PG_RETURN_VOID();
}

Datum pgbackup_cluster_name(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_TEXT_P(cstring_to_text(ClusterName()));
}

Datum pgbackup_launcher_pid(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  const int pid = IsPreloaded() ? LauncherPid() : 0;
  if (pid == 0) PG_RETURN_NULL();
  PG_RETURN_INT32(pid);
}

// → (pid, since, last_round_at, last_end_at, is_stuck) of the launcher. When none runs, pid is
// null, and since when the last one ended, or the server began to start.
Datum pgbackup_launcher_state(PG_FUNCTION_ARGS) {
  TupleDesc shape;
  if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  const LauncherState state = IsPreloaded() ? ReadLauncherState() : LauncherState{};
  const bool runs = state.pid != 0;
  const int64 age = SteadyMicroseconds() - state.last_round_ended;
  Datum values[] = {Int32GetDatum(state.pid),
                    TimestampTzGetDatum(state.since != 0 ? state.since : PgStartTime),
                    TimestampTzGetDatum(AsTimestamp(state.last_round_ended)),
                    TimestampTzGetDatum(AsTimestamp(state.last_run_ended)),
                    BoolGetDatum(runs && age > kLongestRoundMs * 1000)};
  bool nulls[lengthof(values)] = {!runs, false, !runs, !runs, false};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls)));
}

// → (since, last_at, errors, message) of the errors that the launcher meets; null when it meets
// none.
Datum pgbackup_launcher_trouble(PG_FUNCTION_ARGS) {
  const LauncherTrouble trouble = IsPreloaded() ? ReadTrouble() : LauncherTrouble{};
  if (trouble.errors == 0) PG_RETURN_NULL();
  TupleDesc shape;
  if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  Datum values[] = {TimestampTzGetDatum(trouble.since), TimestampTzGetDatum(trouble.last_at),
                    Int64GetDatum(trouble.errors), CStringGetTextDatum(trouble.message)};
  bool nulls[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls)));
}

Datum pgbackup_caller(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  Name name = static_cast<Name>(palloc0(NAMEDATALEN));
  namestrcpy(name, GetUserNameFromId(CallerId(), false));
  PG_RETURN_NAME(name);
}

Datum pgbackup_caller_is_superuser(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(superuser_arg(CallerId()));
}

// (routine as regprocedure takes it) → whether that role may execute it.
Datum pgbackup_caller_may(PG_FUNCTION_ARGS) {
  char* name = text_to_cstring(PG_GETARG_TEXT_PP(0));
  const Datum routine = DirectFunctionCall1(regprocedurein, CStringGetDatum(name));
  PG_RETURN_DATUM(DirectFunctionCall3(has_function_privilege_id_id, ObjectIdGetDatum(CallerId()),
                                      routine, CStringGetTextDatum("EXECUTE")));
}

// (what) Writes to the log which role wants to do what.
Datum pgbackup_audit(PG_FUNCTION_ARGS) {
  const char* what = text_to_cstring(PG_GETARG_TEXT_PP(0));
  const char* session = GetUserNameFromId(GetSessionUserId(), true);
  const char* role = GetUserNameFromId(CallerId(), true);
  ereport(LOG, (errmsg("pgbackup: role \"%s\" (session of \"%s\") asks to %s",
                       role == nullptr ? "?" : role, session == nullptr ? "?" : session, what),
                errhidecontext(true), errhidestmt(true)));
  PG_RETURN_VOID();
}

// (kind of run, id, status, part of the queue that is in use). Once a minute in each process: every
// run has several of these.
Datum pgbackup_log_full_queue(PG_FUNCTION_ARGS) {
  static int64 logged_at = 0;
  const int64 now = SteadyMicroseconds();
  if (logged_at != 0 && now - logged_at < INT64CONST(60) * USECS_PER_SEC) PG_RETURN_VOID();
  logged_at = now;
  ereport(LOG, (errmsg("pgbackup: no notification for %s " INT64_FORMAT
                       ", status %s: the NOTIFY queue is %.1f %% full",
                       text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT64(1),
                       text_to_cstring(PG_GETARG_TEXT_PP(2)), 100 * PG_GETARG_FLOAT8(3)),
                errhint("End the session that listens and does not end its transaction: SELECT pid "
                        "FROM pg_stat_activity ORDER BY xact_start."),
                errhidestmt(true), errhidecontext(true)));
  PG_RETURN_VOID();
}

// (name) Whether a name, of a database or role, is text in this database's encoding and can be
// written as UTF-8. All databases share these names, each with the bytes of its own encoding.
Datum pgbackup_is_valid_name(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(IsValidText(NameStr(*PG_GETARG_NAME(0))));
}

Datum pgbackup_shown_name(PG_FUNCTION_ARGS) {
  Name name = static_cast<Name>(palloc0(NAMEDATALEN));
  namestrcpy(name, ValidText(NameStr(*PG_GETARG_NAME(0)), "?"));
  PG_RETURN_NAME(name);
}

Datum pgbackup_is_compression(PG_FUNCTION_ARGS) {
  Compression compression;
  PG_RETURN_BOOL(ParseCompression(text_to_cstring(PG_GETARG_TEXT_PP(0)), &compression));
}

// (name, value) → a label as Prometheus writes it.
Datum pgbackup_metrics_label(PG_FUNCTION_ARGS) {
  StringInfoData label;
  initStringInfo(&label);
  const auto add = [&label](const text* what) {
    appendBinaryStringInfo(&label, VARDATA_ANY(what), static_cast<int>(VARSIZE_ANY_EXHDR(what)));
  };
  add(PG_GETARG_TEXT_PP(0));
  appendStringInfoString(&label, "=\"");
  const text* value = PG_GETARG_TEXT_PP(1);
  const std::string_view bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
  for (const char c : bytes) {
    if (c == '\\' || c == '"' || c == '\n') appendStringInfoChar(&label, '\\');
    appendStringInfoChar(&label, c == '\n' ? 'n' : c);
  }
  appendStringInfoChar(&label, '"');
  PG_RETURN_TEXT_P(cstring_to_text_with_len(label.data, label.len));
}

// Trigger on the tables of runs, and with an argument on that of copies: refuses a change of status
// that their life does not have.
Datum pgbackup_guard_transition(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "not called by the trigger manager");
  TriggerData* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
  TupleDesc shape = trigger->tg_relation->rd_att;
  const int column = SPI_fnumber(shape, "status");
  const char* from = SPI_getvalue(trigger->tg_trigtuple, shape, column);
  const char* to = SPI_getvalue(trigger->tg_newtuple, shape, column);
  if (from != nullptr && to != nullptr && strcmp(from, to) != 0) {
    const auto old_state = pgbackup::ParseState(from);
    const auto new_state = pgbackup::ParseState(to);
    const bool is_copy = trigger->tg_trigger->tgnargs > 0;
    if (!old_state.has_value() || !new_state.has_value() ||
        !(is_copy ? IsLegalCopyTransition : IsLegalTransition)(*old_state, *new_state))
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("a %s cannot go from status \"%s\" to \"%s\"",
                             is_copy ? "copy" : "run", from, to)));
  }
  return PointerGetDatum(trigger->tg_newtuple);
}
