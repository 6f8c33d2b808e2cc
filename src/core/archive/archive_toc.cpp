#include "core/archive/archive_toc.h"

#include "core/archive/toc_reader.h"

namespace pgbackup {

std::optional<ArchiveToc> ParseArchiveToc(std::string_view head) {
  ArchiveToc toc;
  TocReader reader([&](TocEntry entry) { toc.entries.push_back(std::move(entry)); });
  if (!reader.Read(head)) return std::nullopt;
  return toc;
}

}  // namespace pgbackup
