// What pg_restore is told to take when only a part of a backup is restored.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/manifest/manifest.h"
#include "core/restore/archive_selection.h"
#include "core/restore/memory_file.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct PartLists {
  // By index of the manifest's objects, null for those that are no archives. Empty: take all.
  std::vector<std::unique_ptr<MemoryFile>> lists;
  std::vector<std::string> left_out;  // foreign keys whose other end was not selected
};

// Reads the archives' tables of contents and selects what is wanted, named in the archives'
// encoding; nothing wanted is everything. kNotFound for a name that is not in the backup.
PartLists MakePartLists(Storage& storage, const std::string& folder, const Manifest& manifest,
                        const WantedParts& wanted);

}  // namespace pgbackup
