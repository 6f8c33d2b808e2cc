#include "cli/backup_json.h"

#include "cli/backup_servers.h"
#include "core/base/json.h"

namespace pgbackup {

uint64_t StoredSizeOf(const StoredBackup& backup) {
  return backup.manifest.StoredSize() + backup.manifest_size;
}

std::string ShortTime(const std::string& timestamp) {
  if (timestamp.size() < 19 || timestamp[10] != 'T') return timestamp;
  return timestamp.substr(0, 10) + " " + timestamp.substr(11, 8) + "Z";
}

boost::json::object BackupToJson(const StoredBackup& backup) {
  const Manifest& manifest = backup.manifest;
  boost::json::object object;
  object["id"] = manifest.id;
  object["database"] = JsonText(std::string_view(manifest.database));
  object["cluster"] = JsonText(std::string_view(manifest.cluster.name));
  object["system_identifier"] = JsonText(std::string_view(manifest.cluster.system_identifier));
  object["instance"] = JsonText(std::string_view(InstanceOf(manifest)));
  object["file_name"] = JsonText(std::string_view(backup.folder));
  object["started_at"] = JsonText(std::string_view(manifest.started_at));
  object["finished_at"] = JsonText(std::string_view(manifest.finished_at));
  object["file_size"] = StoredSizeOf(backup);
  object["raw_size"] = manifest.RawSize();
  object["format"] = DumpFormatName(manifest.format);
  object["backup_type"] = JsonText(std::string_view(manifest.backup_type));
  object["label"] = JsonText(manifest.label);
  object["server_version"] = JsonText(std::string_view(manifest.cluster.server_version));
  object["checksum"] = JsonText(std::string_view(backup.checksum));
  return object;
}

}  // namespace pgbackup
