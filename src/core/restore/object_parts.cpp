#include "core/restore/part_lists.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/restore/stored_toc.h"

namespace pgbackup {
namespace {

// The object that holds the definitions of what is in the database.
size_t DefinitionsObject(const Manifest& manifest) {
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    const std::vector<std::string>& sections = manifest.objects[i].sections;
    if (std::find(sections.begin(), sections.end(), "pre-data") != sections.end()) return i;
  }
  throw Error(ErrorKind::kInvalid, "the manifest names no object with definitions");
}

}  // namespace

PartLists MakePartLists(Storage& storage, const std::string& folder, const Manifest& manifest,
                        const WantedParts& wanted) {
  PartLists parts;
  if (wanted.schemas.empty() && wanted.tables.empty()) return parts;
  const size_t definitions = DefinitionsObject(manifest);
  const ArchiveToc toc = ReadStoredToc(storage, folder, manifest.objects[definitions]);
  const ArchiveSelection selection = SelectParts(toc, wanted);
  parts.left_out = selection.left_out;
  parts.lists.resize(manifest.objects.size());
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    if (manifest.objects[i].kind != ObjectKind::kArchive) continue;
    const bool same = i == definitions;
    parts.lists[i] = std::make_unique<MemoryFile>(UseListText(
        same ? toc : ReadStoredToc(storage, folder, manifest.objects[i]), selection, same));
  }
  return parts;
}

}  // namespace pgbackup
