// Backups in a storage that the catalog may not know: what pgbackup.import() asks an agent.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/transaction.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_ask_inventory);
}

namespace pgbackup {
namespace {

// A bucket with millions of objects takes a while to list; whoever asked can cancel.
constexpr int kInventoryTimeoutMs = 6 * 3600 * 1000;

}  // namespace
}  // namespace pgbackup

// (storage text, folders text[], allow_unsigned boolean) → the agent's answer as jsonb. Without
// folders it lists them, with folders it reads their manifests.
Datum pgbackup_ask_inventory(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  MemoryContext context = CurrentMemoryContext;
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  SqlArguments arguments;
  AddJobArguments(&arguments, 0);
  arguments.Add(TEXTOID, PG_GETARG_DATUM(0));
  if (PG_ARGISNULL(1))
    arguments.AddNull(TEXTARRAYOID);
  else
    arguments.Add(TEXTARRAYOID, PG_GETARG_DATUM(1));
  arguments.Bool(PG_GETARG_BOOL(2));
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'inventory', 'id', $1, 'folders', $8, "
      "'allow_unsigned', $9, "
      "'encryption', " PGBACKUP_ENCRYPTION_JSON
      ", 'storage', " PGBACKUP_STORAGE_JSON("$7") ")::text",
      arguments);
  const char* job = JobText(TextOfRow(0, 0), context);
  SPI_finish();
  const char* answer = AskAgent(job, kInventoryTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
