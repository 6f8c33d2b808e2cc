// Leftovers in the storage: what pgbackup.cleanup() asks an agent.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/transaction.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_ask_janitor);
}

namespace pgbackup {
namespace {

// A bucket with millions of objects takes a while to list; whoever asked can cancel.
constexpr int kCleanupTimeoutMs = 6 * 3600 * 1000;

// The job, in UTF-8, in `context`; $7 … $10 as the function's arguments.
char* JanitorJob(SqlArguments* arguments, MemoryContext context) {
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'janitor', 'id', $1, "
      "'older_than', $8, 'remove', $9 IS NOT NULL OR $10 IS NOT NULL, "
      "'folders', $9, 'upload_folders', $10, " PGBACKUP_INSTANCE_JSON
      ", 'storage', " PGBACKUP_STORAGE_JSON("$7") ")::text",
      *arguments);
  return JobText(TextOfRow(0, 0), context);
}

void AddNames(SqlArguments* arguments, FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument))
    arguments->AddNull(TEXTARRAYOID);
  else
    arguments->Add(TEXTARRAYOID, PG_GETARG_DATUM(argument));
}

}  // namespace
}  // namespace pgbackup

// (storage text, older_than bigint, folders text[], upload_folders text[]) → the agent's answer as
// jsonb. Without folders it only looks.
Datum pgbackup_ask_janitor(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  MemoryContext context = CurrentMemoryContext;
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  SqlArguments arguments;
  AddJobArguments(&arguments, 0);
  arguments.Add(TEXTOID, PG_GETARG_DATUM(0));
  arguments.Int8(PG_GETARG_INT64(1));
  AddNames(&arguments, fcinfo, 2);
  AddNames(&arguments, fcinfo, 3);
  const char* job = JanitorJob(&arguments, context);
  SPI_finish();
  const char* answer = AskAgent(job, kCleanupTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
