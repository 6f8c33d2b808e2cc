// Backups in a storage in memory, for tests of what reads them.
#pragma once

#include "core/base/environment.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest.h"
#include "core/storage/forwarding_storage.h"
#include "pipeline_test_support.h"
#include "run_test_support.h"

namespace pgbackup {

// A manifest of a backup in `folder`, without objects.
inline Manifest ManifestOf(const std::string& folder, int64_t id, const std::string& database) {
  Manifest manifest;
  manifest.id = id;
  manifest.file_name = folder;
  manifest.database = database;
  manifest.cluster.name = "main";
  manifest.backup_type = "manual";
  manifest.started_at = "2025-01-01T00:00:00Z";
  manifest.properties.encoding = "UTF8";
  manifest.properties.locale_provider = "libc";
  manifest.pg_dump_version = "15.1";
  return manifest;
}

inline void StoreManifestText(MemoryStorage& storage, const Manifest& manifest) {
  storage.objects[ManifestObjectName(manifest.file_name)] =
      boost::json::serialize(ManifestToJson(manifest));
}

// Stores an object that is not compressed and enters it into the manifest.
inline ManifestObject& AddObject(MemoryStorage& storage, Manifest& manifest,
                                 const std::string& name, const std::string& text,
                                 ObjectKind kind = ObjectKind::kSql) {
  storage.objects[manifest.file_name + "/" + name] = text;
  ManifestObject object;
  object.name = name;
  object.kind = kind;
  object.raw_size = text.size();
  object.segments = {{name, text.size(), ToHex(Sha256::Of(text))}};
  manifest.objects.push_back(object);
  return manifest.objects.back();
}

// Runs jobs on a storage in memory.
struct MemoryHarness {
  MemoryStorage storage;
  std::unique_ptr<Environment> environment = SystemEnvironment();
  RunHarness harness{*environment, [this](const Cancellation&) {
                       return std::make_unique<ForwardingStorage>(storage);
                     }};
};

}  // namespace pgbackup
