#include "core/restore/preflight/server_fitness.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

Manifest BigManifest() {
  Manifest manifest;
  manifest.database_size = 1000;
  manifest.objects.resize(1);
  manifest.objects[0].raw_size = 900;
  return manifest;
}

TEST(DiskNeeded, IsWhatTheSourceTook) {
  EXPECT_EQ(DiskNeeded(BigManifest(), {}), 1000u);
}

TEST(DiskNeeded, OfABloatedDatabaseIsMeasuredByItsRows) {
  Manifest manifest = BigManifest();
  manifest.objects[0].raw_size = 100;
  EXPECT_EQ(DiskNeeded(manifest, {}), 300u);
}

TEST(DiskNeeded, OfAPartIsUnknown) {
  RestoreOptions options;
  options.tables = {"a.b"};
  EXPECT_EQ(DiskNeeded(BigManifest(), options), 0u);
  options = {};
  options.content = DumpContent::kSchema;
  EXPECT_EQ(DiskNeeded(BigManifest(), options), 0u);
  Manifest manifest = BigManifest();
  manifest.selection.exclude_table_data = {"a.b"};
  EXPECT_EQ(DiskNeeded(manifest, {}), 0u);
}

}  // namespace
}  // namespace pgbackup
