// What a storage knows this server by: what pgbackup._instance() is made of.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/settings.h"
#include "pg/transaction.h"

extern "C" {
#include "access/xlog.h"

PG_FUNCTION_INFO_V1(pgbackup_describe_place);
PG_FUNCTION_INFO_V1(pgbackup_timeline);
PG_FUNCTION_INFO_V1(pgbackup_ask_take_over);
}

namespace pgbackup {
namespace {

constexpr int kTakeOverTimeoutMs = 60000;

// Empty where there is none, as in many containers.
const char* MachineId() {
  static char id[64];
  id[0] = '\0';
  const int file = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return id;
  const ssize_t size = read(file, id, sizeof id - 1);
  close(file);
  id[size > 0 ? size : 0] = '\0';
  id[strcspn(id, "\n")] = '\0';
  return id;
}

// The device's number or, where file systems of one kind get numbers in the order of mounting, what
// the file system itself says.
const char* DeviceOf(const struct stat& status) {
  struct statfs system = {};
  if (major(status.st_dev) != 0 || statfs(DataDir, &system) != 0)
    return psprintf("%u:%u", major(status.st_dev), minor(status.st_dev));
  return psprintf("%x-%x", static_cast<unsigned>(system.f_fsid.__val[0]),
                  static_cast<unsigned>(system.f_fsid.__val[1]));
}

// When the data directory was made, where the file system knows.
const char* BirthOfDataDirectory() {
  struct statx status = {};
  if (statx(AT_FDCWD, DataDir, AT_STATX_DONT_SYNC, STATX_BTIME, &status) != 0 ||
      (status.stx_mask & STATX_BTIME) == 0)
    return "";
  return psprintf(INT64_FORMAT ".%09u", static_cast<int64>(status.stx_btime.tv_sec),
                  status.stx_btime.tv_nsec);
}

char* TakeOverJob(Datum storage, const char* token, MemoryContext context) {
  SqlArguments arguments;
  AddJobArguments(&arguments, 0);
  arguments.Add(TEXTOID, storage).Text(token).Text(ClusterName());
  ExecuteSql(
      "SELECT jsonb_build_object('protocol', 1, 'job', 'take_over', 'id', $1, "
      "'token', $8, 'cluster', $9, " PGBACKUP_INSTANCE_JSON
      ", 'storage', " PGBACKUP_STORAGE_JSON("$7") ")::text",
      arguments);
  return JobText(TextOfRow(0, 0), context);
}

}  // namespace
}  // namespace pgbackup

using namespace pgbackup;

Datum pgbackup_describe_place(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  struct stat status = {};
  if (stat(DataDir, &status) != 0)
    ereport(ERROR,
            (errcode_for_file_access(), errmsg("could not stat directory \"%s\": %m", DataDir)));
  PG_RETURN_TEXT_P(
      cstring_to_text(psprintf("%s %s " UINT64_FORMAT " %s", MachineId(), DeviceOf(status),
                               static_cast<uint64>(status.st_ino), BirthOfDataDirectory())));
}

Datum pgbackup_timeline(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_INT32(RecoveryInProgress() ? 0 : static_cast<int32>(GetWALInsertionTimeLine()));
}

// (storage text, token text) → the agent's answer as jsonb. The token may be null: this server's.
Datum pgbackup_ask_take_over(PG_FUNCTION_ARGS) {
  MemoryContext context = CurrentMemoryContext;
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  const char* token = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
  const char* job = TakeOverJob(PG_GETARG_DATUM(0), token, context);
  SPI_finish();
  const char* answer = AskAgent(job, kTakeOverTimeoutMs);
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
}
