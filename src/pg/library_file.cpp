#include <dlfcn.h>
#include <sys/stat.h>

#include "pg/library_file.h"

#include "pg/server.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_library);
}

namespace pgbackup {
namespace {

// Of the file that was loaded; its processes inherit this from the postmaster.
char file_path[MAXPGPATH] = "";  // empty: not preloaded
struct stat loaded = {};

// Not by its number: that changes when a file system is mounted anew, or its lower layer copied up.
bool IsSameFile(const struct stat& file) {
  return file.st_size == loaded.st_size && file.st_mtim.tv_sec == loaded.st_mtim.tv_sec &&
         file.st_mtim.tv_nsec == loaded.st_mtim.tv_nsec;
}

// "loaded", "replaced" or "missing"; nullptr when it cannot be said.
const char* FileState() {
  if (file_path[0] == '\0') return nullptr;
  struct stat now = {};
  if (stat(file_path, &now) == 0) return IsSameFile(now) ? "loaded" : "replaced";
  return errno == ENOENT ? "missing" : nullptr;
}

}  // namespace

void RememberLibraryFile() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<void*>(&RememberLibraryFile), &info) == 0 ||
      info.dli_fname == nullptr || stat(info.dli_fname, &loaded) != 0)
    return;
  strlcpy(file_path, info.dli_fname, sizeof file_path);
}

}  // namespace pgbackup

// () → version of the library, path of its file, what has become of that.
Datum pgbackup_library(PG_FUNCTION_ARGS) {
  TupleDesc shape;
  if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  const char* state = pgbackup::FileState();
  Datum values[] = {CStringGetTextDatum(PGBACKUP_VERSION), CStringGetTextDatum(pgbackup::file_path),
                    state != nullptr ? CStringGetTextDatum(state) : static_cast<Datum>(0)};
  bool nulls[lengthof(values)] = {false, pgbackup::file_path[0] == '\0', state == nullptr};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls)));
}
