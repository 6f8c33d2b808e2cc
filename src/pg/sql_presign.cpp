// URLs for the objects of a backup: what pgbackup.presign() asks an agent.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/transaction.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_ask_presign);
}

namespace pgbackup {
namespace {

constexpr int kPresignTimeoutMs = 60000;

// The job for backup `id`, in UTF-8, in `context`.
char* PresignJob(int64 id, int64 expires, MemoryContext context) {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  SqlArguments arguments;
  AddJobArguments(&arguments, id);
  arguments.Int8(expires);
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'presign', 'id', b.id, "
      "'file_name', b.file_name, 'expires', $7, 'storage', " PGBACKUP_STORAGE_JSON("b.storage")
      ", 'objects', (SELECT jsonb_agg(s->>'name') FROM jsonb_array_elements(b.manifest->'objects') o, "
      "jsonb_array_elements(o->'segments') s) || '\"manifest.json\"'::jsonb)::text "
      "FROM pgbackup.backups b WHERE b.id = $1",
      arguments);
  char* job = JobText(TextOfRow(0, 0), context);
  SPI_finish();
  return job;
}

}  // namespace
}  // namespace pgbackup

// (id bigint, seconds bigint) → the agent's answer as jsonb. The caller has checked both.
Datum pgbackup_ask_presign(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  const char* job = PresignJob(PG_GETARG_INT64(0), PG_GETARG_INT64(1), CurrentMemoryContext);
  const char* answer = AskAgent(job, kPresignTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
