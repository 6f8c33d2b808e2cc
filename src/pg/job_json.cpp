#include "pg/job_json.h"

#include "pg/settings.h"
#include "pg/valid_text.h"

extern "C" {
#include "access/xlog.h"
}

namespace pgbackup {
namespace {

// Where the server listens for local connections: its first socket folder, else localhost.
const char* SocketHost() {
  const char* configured = GetConfigOption("unix_socket_directories", true, false);
  if (configured != nullptr && configured[0] != '\0') {
    char* copy = pstrdup(configured);
    List* folders = NIL;
    if (SplitDirectoriesString(copy, ',', &folders) && folders != NIL)
      return static_cast<const char*>(linitial(folders));
  }
  return "localhost";
}

// Where pg_dump and pg_restore are.
const char* ProgramDirectory() {
  if (settings.bin_directory[0] != '\0') return settings.bin_directory;
  char* path = static_cast<char*>(palloc(MAXPGPATH));
  strlcpy(path, my_exec_path, MAXPGPATH);
  get_parent_directory(path);
  return path;
}

}  // namespace

void AddJobArguments(SqlArguments* arguments, int64 run_id) {
  arguments->Int8(run_id)
      .Text(SocketHost())
      .Int4(PostPortNumber)
      .Text(ProgramDirectory())
      .Int8(static_cast<int64>(settings.s3_part_size) * 1024 * 1024)
      .Text(psprintf(UINT64_FORMAT, GetSystemIdentifier()));
}

char* JobText(const char* json, MemoryContext context) {
  return MemoryContextStrdup(context, ToUtf8(json));
}

}  // namespace pgbackup
