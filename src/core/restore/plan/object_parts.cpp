#include "core/restore/plan/object_parts.h"

#include <algorithm>

#include "core/restore/plan/stored_toc.h"

namespace pgbackup {
namespace {

ObjectPart Listed(std::string list) {
  if (list.empty()) return {ObjectPart::Take::kNothing, {}};
  return {ObjectPart::Take::kListed, std::move(list)};
}

}  // namespace

std::vector<ObjectPart> SelectObjectParts(Storage& storage, const std::string& folder,
                                          const Manifest& manifest, size_t definitions,
                                          const ArchiveToc& toc, const ArchiveSelection& selection,
                                          const std::vector<std::vector<QualifiedName>>& tables) {
  std::vector<ObjectPart> parts(manifest.objects.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const ManifestObject& object = manifest.objects[i];
    const auto is_selected = [&](const QualifiedName& table) {
      return selection.TakesRowsOf({table.schema, table.name});
    };
    const auto selected = std::count_if(tables[i].begin(), tables[i].end(), is_selected);
    if (i == definitions)
      parts[i] = Listed(UseListText(toc, selection, /*same=*/true));
    else if (!tables[i].empty() && selected == 0)
      parts[i] = {ObjectPart::Take::kNothing, {}};
    else if (object.kind == ObjectKind::kArchive)
      parts[i] = Listed(UseListText(ReadStoredToc(storage, folder, object), selection,
                                    /*same=*/false));
  }
  return parts;
}

}  // namespace pgbackup
