// What only the server's memory knows for pgbackup.check(), and what it asks an agent.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/settings.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_ask_check);
}

namespace pgbackup {
namespace {

constexpr int kCheckTimeoutMs = 120000;

// The job, in UTF-8, in `context`; $7 and $8 are needed_bytes and storage, $9 whether to try the
// server's side, too. An empty storage is left out.
char* CheckJob(int64 needed_bytes, Datum storage, bool with_server, MemoryContext context) {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  SqlArguments arguments;
  AddJobArguments(&arguments, 0);
  arguments.Int8(needed_bytes);
  arguments.Add(TEXTOID, storage);
  arguments.Bool(with_server);
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'check', 'id', $1, "
      "'needed_bytes', $7, 'databases', (SELECT jsonb_agg(d.datname ORDER BY d.datname) "
      "FROM pg_database d WHERE $9 AND d.datallowconn AND d.datname::text IN "
      "(SELECT pgbackup._select_databases(current_setting('pgbackup.databases')))), "
      "'max_concurrent', current_setting('pgbackup.max_concurrent')::int, "
      "'format', current_setting('pgbackup.format'), 'encryption', " PGBACKUP_ENCRYPTION_JSON
      ", "
      "'server', CASE WHEN $9 THEN " PGBACKUP_SERVER_JSON
      " END, 'server_version_num', current_setting('server_version_num')::int, 'storage', "
      "CASE WHEN $8 <> '' THEN " PGBACKUP_STORAGE_JSON("$8") " END)::text",
      arguments);
  char* job = JobText(TextOfRow(0, 0), context);
  SPI_finish();
  return job;
}

}  // namespace
}  // namespace pgbackup

using namespace pgbackup;

// (needed_bytes bigint, storage text, with_server boolean) → the agent's answer as jsonb.
Datum pgbackup_ask_check(PG_FUNCTION_ARGS) {
  const char* job =
      CheckJob(PG_GETARG_INT64(0), PG_GETARG_DATUM(1), PG_GETARG_BOOL(2), CurrentMemoryContext);
  const char* answer = AskAgent(job, kCheckTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
