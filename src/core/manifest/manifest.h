// manifest.json: what a backup is made of. Written last, it is what makes a folder a backup.
//
// The keys are documented in docs/storage-format.md. Readers refuse a version they do not know and
// ignore keys they do not know.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/age/encryption.h"
#include "core/fingerprint/fingerprint_list.h"
#include "core/manifest/backup_format.h"
#include "core/manifest/instance.h"
#include "core/manifest/manifest_name.h"
#include "core/manifest/part_needs.h"
#include "core/manifest/requirements.h"
#include "core/manifest/segment_sink.h"
#include "core/manifest/table_rows.h"
#include "core/manifest/user_code.h"
#include "core/postgres/database_properties.h"

namespace pgbackup {

inline constexpr int64_t kManifestVersion = 1;

struct ManifestCluster {
  std::string name;
  std::string environment;
  std::string system_identifier;
  std::string server_version;
  int64_t server_version_num = 0;
  Instance instance;  // all empty: not recorded, by an older pgbackup
};

struct ManifestObject {
  std::string name;  // below the backup's folder, e.g. "schema.dump.zst"
  ObjectKind kind = ObjectKind::kArchive;
  std::vector<std::string> sections;
  // The tables whose rows it holds, when it was made for these alone. Empty: it holds whatever of
  // its sections is in no other object, and its own table of contents tells which tables these are.
  std::vector<QualifiedName> tables;
  // Of each table whose rows it holds: what was dumped. The names are in the
  // encoding of the object; the manifest has them under `fingerprints`.
  std::vector<TableFingerprint> fingerprints;
  std::optional<CopyRange> copy;  // of kind kCopy, which has one table
  uint64_t raw_size = 0;          // bytes before compression
  std::vector<Segment> segments;  // their names too are relative to the backup's folder
  // What opens it: null unless the backup is encrypted and has been opened (encrypted_contents.h).
  std::shared_ptr<const DecryptionKeys> keys;
  uint64_t Size() const noexcept;  // bytes stored
};

struct Manifest {
  // backup
  int64_t id = 0;
  std::string run_key;  // empty: not recorded, by an older pgbackup
  std::string file_name;
  std::string database;
  std::optional<std::string> label, schedule;
  std::string backup_type;  // manual, scheduled
  std::string created_by, created_at, started_at, finished_at;
  DumpFormat format = DumpFormat::kCustom;
  DumpContent content = DumpContent::kAll;
  std::string compression;  // as asked for, e.g. "zstd:3"
  SelectionNames selection;
  std::optional<Encryption> encryption;  // none: in clear

  ManifestCluster cluster;
  DatabaseProperties properties;
  std::optional<Requirements> requirements;  // none: not recorded, by an older pgbackup
  std::optional<UserCode> user_code;         // none: as above
  std::optional<PartNeeds> part_needs;       // none: as above
  uint64_t database_size = 0;
  std::string pg_dump_version;
  std::string pgbackup_version;
  std::vector<ManifestObject> objects;
  FingerprintList fingerprints;  // of every table with rows that was dumped, but for plain format
  // Of those with stored generated columns: rows with these (generated_columns.h). None in backups
  // of an older pgbackup.
  FingerprintList generated;

  uint64_t RawSize() const noexcept;
  uint64_t StoredSize() const noexcept;  // without the manifest itself
};

boost::json::object ManifestToJson(const Manifest& manifest);

// The same without the fingerprints: they would be most of it, and nobody reads them in the
// catalog.
boost::json::object ManifestForCatalog(const Manifest& manifest);

// What is stored as manifest.json: of an encrypted backup, nothing that names a schema, a table, a
// role or what else is in the database.
boost::json::object ManifestForStorage(const Manifest& manifest);

// Of an encrypted backup: whether this is all that manifest.json says, and the rest is missing.
bool HasHiddenNames(const Manifest& manifest) noexcept;

// kInvalid when the text is no manifest of a version this program reads, or says what none can say
// (manifest_check.h). It may be anybody's: who wrote it, manifest_mac.h shows.
Manifest ParseManifest(std::string_view text);

// The name of the object that is the manifest of the backup in `folder`.
std::string ManifestObjectName(const std::string& folder);

}  // namespace pgbackup
