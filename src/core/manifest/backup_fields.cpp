#include "core/manifest/backup_fields.h"

#include "core/base/sha256.h"

namespace pgbackup {

boost::json::object BackupFields(const Manifest& manifest, const std::string& text) {
  const int64_t oid = manifest.properties.oid;
  return {{"raw_size", manifest.RawSize()},
          {"file_size", manifest.StoredSize() + text.size()},
          {"checksum", ToHex(Sha256::Of(text))},
          {"database_size", manifest.database_size},
          {"database_oid", oid == 0 ? boost::json::value(nullptr) : boost::json::value(oid)},
          {"format", DumpFormatName(manifest.format)},
          {"manifest", ManifestForCatalog(manifest)}};
}

}  // namespace pgbackup
