#include "pg/job_json.h"

#include "pg/settings.h"
#include "pg/valid_text.h"

extern "C" {
#include "access/xlog.h"
#include "utils/json.h"
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

// The member `s3` of a job's storages.
const char* S3Json() {
  StringInfoData json;
  initStringInfo(&json);
  char separator = '{';
  for (const auto& option : kS3Options<S3Values<char*, int>>) {
    appendStringInfoChar(&json, separator);
    separator = ',';
    escape_json(&json, option.name);
    appendStringInfoChar(&json, ':');
    if (option.text != nullptr) {
      const char* text = settings.s3.*option.text;
      escape_json(&json, text == nullptr ? "" : text);
    } else if (option.number != nullptr) {
      appendStringInfo(&json, INT64_FORMAT,
                       static_cast<int64>(settings.s3.*option.number) * option.unit);
    } else {
      appendStringInfoString(&json, settings.s3.*option.flag ? "true" : "false");
    }
  }
  appendStringInfoChar(&json, '}');
  return json.data;
}

}  // namespace

void AddJobArguments(SqlArguments* arguments, int64 run_id) {
  arguments->Int8(run_id)
      .Text(SocketHost())
      .Int4(PostPortNumber)
      .Text(ProgramDirectory())
      .Text(S3Json())
      .Text(psprintf(UINT64_FORMAT, GetSystemIdentifier()));
}

char* JobText(const char* json, MemoryContext context) {
  return MemoryContextStrdup(context, ToUtf8(json));
}

}  // namespace pgbackup
