// Brings a backup from its storage into a directory, as it is or ready for pg_restore and psql.
//
// Every byte is compared with the manifest on its way. A file has its name when it is complete; the
// manifest comes last.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

struct FetchJob : JobBase {
  std::string directory;                // absolute
  std::optional<std::string> checksum;  // of the manifest
  // True: objects are decompressed, whatever they continue in put together, and their names are
  // without the suffix that says what they were compressed with.
  bool decompress = false;
  int64_t jobs = 2;
};

// kAlreadyExists when the directory holds something. What an unfinished run has put there is
// removed. The "completed" event has `files`, an array of {name, size}.
RunOutcome RunFetch(const FetchJob& job, const RunContext& context);

}  // namespace pgbackup
