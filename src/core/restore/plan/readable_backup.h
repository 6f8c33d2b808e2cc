// A backup where it can be read: in its own storage or, when that fails, in a copy.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/job/run_context.h"
#include "core/manifest/manifest.h"

namespace pgbackup {

struct ReadableBackup {
  std::unique_ptr<Storage> storage;
  Manifest manifest;  // whole, also of an encrypted backup
  std::string copy;   // its URL, when the backup's own storage had to be passed over
};

// The job's storage, or the first of `copies` that has the manifest with this checksum. Throws what
// is wrong with the backup's own storage when no copy is any better.
ReadableBackup OpenReadableBackup(const JobBase& job, const std::optional<std::string>& checksum,
                                  const std::vector<StorageSettings>& copies,
                                  const RunContext& context);

}  // namespace pgbackup
