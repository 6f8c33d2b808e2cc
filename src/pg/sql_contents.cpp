// What is in a backup: what pgbackup.contents() asks an agent.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/transaction.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_ask_contents);
}

namespace pgbackup {
namespace {

// Many archives, and a store that answers slowly, take a while; whoever asked can cancel.
constexpr int kContentsTimeoutMs = 3600 * 1000;

}  // namespace
}  // namespace pgbackup

// (id bigint) → the agent's answer as jsonb. The caller has checked that there is such a backup.
Datum pgbackup_ask_contents(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  MemoryContext context = CurrentMemoryContext;
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  SqlArguments arguments;
  AddJobArguments(&arguments, PG_GETARG_INT64(0));
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'contents', 'id', b.id, "
      "'file_name', b.file_name, 'checksum', b.checksum, 'server', " PGBACKUP_SERVER_JSON
      ", 'encryption', " PGBACKUP_ENCRYPTION_JSON
      ", 'storage', " PGBACKUP_STORAGE_JSON("b.storage") ", 'copies', " PGBACKUP_COPIES_JSON(
          PGBACKUP_COMPLETE_COPIES) ")::text FROM pgbackup.backups b WHERE b.id = $1",
      arguments);
  const char* job = JobText(TextOfRow(0, 0), context);
  SPI_finish();
  const char* answer = AskAgent(job, kContentsTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
