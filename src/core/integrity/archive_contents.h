// Whether an archive's table of contents is the one that the manifest describes.
#pragma once

#include "core/archive/archive_check.h"
#include "core/manifest/manifest.h"

namespace pgbackup {

// Throws kCorrupt, naming the object and a table, unless `found` (names in the archive's encoding)
// fits `object` of the manifest: definitions of tables only with the section pre-data, rows only
// with the section data, of the object's own tables when it has some, all of them, and of none that
// another object was made for. Names that need a server to be compared, because they are neither
// ASCII nor in UTF-8, are counted.
void CheckContents(const ArchiveTables& found, const Manifest& manifest,
                   const ManifestObject& object);

}  // namespace pgbackup
