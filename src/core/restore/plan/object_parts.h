// Which part of each object a restore takes.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/manifest.h"
#include "core/restore/plan/archive_selection.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct ObjectPart {
  enum class Take { kAll, kListed, kNothing };
  Take take = Take::kAll;
  std::string list;  // of the entries, for pg_restore's -L
};

// Of every object of the manifest, when only a part of the backup is restored. `toc` is that of the
// object `definitions` of the manifest, `selection` was made from it, and `tables` are those of the
// objects in the archives' encoding. Reads the beginnings of those archives only that hold some of
// what is selected, as far as the manifest tells.
std::vector<ObjectPart> SelectObjectParts(Storage& storage, const std::string& folder,
                                          const Manifest& manifest, size_t definitions,
                                          const ArchiveToc& toc, const ArchiveSelection& selection,
                                          const std::vector<std::vector<QualifiedName>>& tables);

}  // namespace pgbackup
