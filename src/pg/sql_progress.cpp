// The shared memory behind pgbackup.progress, as rows.
#include "pg/shared_state.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_progress);
}

namespace pgbackup {
namespace {

// In the order of the function's columns.
enum Column {
  kRunId,
  kKind,
  kDatabase,
  kPhase,
  kRawBytes,
  kStoredBytes,
  kTotalBytes,
  kDataBegan,
  kDataEnded,
  kTablesDone,
  kTablesTotal,
  kCurrentTables,
  kStartedAt,
  kAgentPid,
  kMovedAt,
  kColumns
};

// An array of names as SQL takes them.
Datum NamesOf(AgentProgress* told) {
  Datum names[kMaxCurrentTables];
  for (int i = 0; i < told->current_count; ++i) {
    TableName* table = &told->current[i];
    names[i] = CStringGetTextDatum(
        quote_qualified_identifier(NameStr(table->schema), NameStr(table->name)));
  }
  return PointerGetDatum(
      construct_array(names, told->current_count, TEXTOID, -1, false, TYPALIGN_INT));
}

void AddRow(RunProgress* run, ReturnSetInfo* result) {
  AgentProgress* told = &run->told;
  Datum values[kColumns] = {};
  bool nulls[kColumns] = {};
  values[kRunId] = Int64GetDatum(run->run_id);
  values[kKind] = CStringGetTextDatum(RunKindName(run->kind));
  values[kDatabase] = NameGetDatum(&run->database);
  values[kPhase] = CStringGetTextDatum(told->phase);
  values[kRawBytes] = Int64GetDatum(told->raw_bytes);
  values[kStoredBytes] = Int64GetDatum(told->stored_bytes);
  values[kTotalBytes] = Int64GetDatum(told->total_bytes);
  nulls[kTotalBytes] = told->total_bytes == 0;
  values[kDataBegan] = TimestampTzGetDatum(told->data_began);
  nulls[kDataBegan] = told->data_began == 0;
  values[kDataEnded] = TimestampTzGetDatum(told->data_ended);
  nulls[kDataEnded] = told->data_ended == 0;
  values[kTablesDone] = Int64GetDatum(told->tables_done);
  values[kTablesTotal] = Int64GetDatum(told->tables_total);
  if (told->knows_tables) values[kCurrentTables] = NamesOf(told);
  nulls[kTablesDone] = nulls[kTablesTotal] = nulls[kCurrentTables] = !told->knows_tables;
  values[kStartedAt] = TimestampTzGetDatum(run->started_at);
  values[kAgentPid] = Int32GetDatum(run->agent_pid);
  values[kMovedAt] = TimestampTzGetDatum(AsTimestamp(run->moved_at));
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace
}  // namespace pgbackup

using namespace pgbackup;

Datum pgbackup_progress(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  if (!IsPreloaded()) return static_cast<Datum>(0);
  RunProgress* runs = static_cast<RunProgress*>(palloc(kMaxProgress * sizeof(RunProgress)));
  const int count = ReadProgress(runs);
  for (int i = 0; i < count; ++i)
    AddRow(&runs[i], reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  return static_cast<Datum>(0);
}
