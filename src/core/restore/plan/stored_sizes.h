// Whether what a restore will read is in the storage.
#pragma once

#include <set>
#include <string>

#include "core/manifest/manifest.h"
#include "core/restore/plan/findings.h"
#include "core/storage/storage.h"

namespace pgbackup {

// Asks the storage for every piece of these objects (indexes into the manifest's); one that is
// missing or has another size than the manifest says is named in a finding. Reads nothing. Returns
// whether all are there.
bool CheckStoredSizes(Storage& storage, const std::string& folder, const Manifest& manifest,
                      const std::set<size_t>& objects, Findings* findings);

}  // namespace pgbackup
