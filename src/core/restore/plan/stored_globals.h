// The roles and tablespaces that a backup holds.
#pragma once

#include <string>

#include "core/manifest/manifest.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

// Null when the backup has none.
const ManifestObject* GlobalsOf(const Manifest& manifest);

// The text of that object, from the backup in `folder`, whose manifest is open
// (encrypted_contents.h).
std::string ReadGlobals(Storage& storage, const std::string& folder, const ManifestObject& globals,
                        Progress& progress);

}  // namespace pgbackup
