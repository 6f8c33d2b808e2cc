// The table of contents of an archive that lies in a storage.
#pragma once

#include <string>

#include "core/archive/archive_toc.h"
#include "core/manifest/manifest.h"
#include "core/pipeline/sink.h"
#include "core/storage/storage.h"

namespace pgbackup {

// Reads as much of the object's beginning as it takes, in pieces that begin small. What it reads is
// not verified; restoring the object verifies it. kCorrupt when the object ends before its table of
// contents does. `head`, unless null, gets the archive up to the end of its table of contents,
// which is all that pg_restore needs for anything but rows.
ArchiveToc ReadStoredToc(Storage& storage, const std::string& folder, const ManifestObject& object,
                         Sink* head = nullptr);

}  // namespace pgbackup
