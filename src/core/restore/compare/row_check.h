// Whether the rows of a restored database are those that were dumped.
#pragma once

#include <string>

#include "core/job/run_context.h"
#include "core/manifest/manifest.h"
#include "core/postgres/server_address.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct RowCheckContext {
  const ConnectionSettings& settings;  // of the restored database, as ReadSettings has them
  const Manifest& manifest;
  Storage& storage;
  int64_t jobs;                                // tables at a time
  const std::vector<QualifiedName>& left_out;  // tables that were not restored
  const RunContext& run;
};

// Reads every table that the manifest has a fingerprint of, and compares; those with stored
// generated columns once more, with these, if the manifest tells. Configuration tables of
// extensions are left out: of these a dump holds some rows only. Returns how many tables it has
// read; kCorrupt, naming the first tables that differ, when there are such.
uint64_t CheckRows(const RowCheckContext& context);

// An archive's statement COPY … FROM stdin, taken apart; the target as it is written there.
struct ArchiveCopy {
  std::string target;   // as in SQL
  std::string columns;  // "(a, b)", or nothing
};
ArchiveCopy ParseArchiveCopy(const std::string& statement);

}  // namespace pgbackup
