#include "core/restore/plan/archive_names.h"

#include "core/dump/server_encoding.h"

namespace pgbackup {

ArchiveNames NamesInArchives(PostgresConnection& connection, const Manifest& manifest) {
  Selection all;
  for (const auto& [table, rows] : manifest.fingerprints) all.tables.push_back(table);
  const Selection dumped = InServerEncoding(connection, all, manifest.properties.encoding);
  ArchiveNames names;
  for (size_t i = 0; i < all.tables.size(); ++i) names[dumped.tables[i]] = all.tables[i];
  return names;
}

}  // namespace pgbackup
