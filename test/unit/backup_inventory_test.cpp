#include "core/manifest/backup_inventory.h"

#include "core/run/inventory_run.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

TEST(BackupInventory, BackupsAreReadNewestFirst) {
  MemoryStorage storage;
  for (const auto& [folder, id, started] :
       std::vector<std::tuple<std::string, int64_t, std::string>>{
           {"a/old", 1, "2025-01-01T00:00:00Z"},
           {"a/new", 3, "2025-03-01T00:00:00Z"},
           {"b/mid", 2, "2025-02-01T00:00:00Z"}}) {
    Manifest manifest = ManifestOf(folder, id, "db");
    manifest.started_at = started;
    StoreManifestText(storage, manifest);
  }
  storage.objects["a/headless/database.dump.zst"] = "x";
  storage.objects["manifest.json"] = "of nobody: a backup has a folder";
  const std::vector<std::string> folders = ListBackupFolders(storage);
  EXPECT_EQ(folders, (std::vector<std::string>{"a/new", "a/old", "b/mid"}));
  Cancellation cancellation;
  const BackupInventory inventory = ReadBackups(storage, folders, cancellation);
  ASSERT_EQ(inventory.backups.size(), 3u);
  EXPECT_EQ(inventory.backups[0].folder, "a/new");
  EXPECT_EQ(inventory.backups[1].folder, "b/mid");
  EXPECT_EQ(inventory.backups[2].folder, "a/old");
  const std::string& text = storage.objects["a/new/manifest.json"];
  EXPECT_EQ(inventory.backups[0].checksum, ToHex(Sha256::Of(text)));
  EXPECT_EQ(inventory.backups[0].manifest_size, text.size());
  EXPECT_TRUE(inventory.unreadable.empty());
}

TEST(BackupInventory, WhatCannotBeReadIsNamedAndTheRestIsThere) {
  MemoryStorage storage;
  StoreManifestText(storage, ManifestOf("a/good", 1, "db"));
  storage.objects["a/garbage/manifest.json"] = "{";
  storage.objects["a/swapped/manifest.json"] = storage.objects["a/good/manifest.json"];
  Cancellation cancellation;
  const BackupInventory inventory =
      ReadBackups(storage, {"a/good", "a/garbage", "a/swapped", "a/gone"}, cancellation);
  ASSERT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.backups[0].folder, "a/good");
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "a/garbage");
  EXPECT_EQ(inventory.unreadable[0].error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(inventory.unreadable[1].folder, "a/swapped");
  EXPECT_EQ(inventory.unreadable[1].error.message(),
            "the manifest in \"memory://test/a/swapped\" is that of another backup");
}

TEST(BackupInventory, AFolderMayHaveBeenMovedUpOrDown) {
  MemoryStorage storage;
  StoreManifestText(storage, ManifestOf("main/db/b1", 1, "db"));
  const std::string text = storage.objects["main/db/b1/manifest.json"];
  storage.objects = {{"b1/manifest.json", text},
                     {"old/main/db/b1/manifest.json", text},
                     {"main/db/xb1/manifest.json", text},
                     {"other/db/b1/manifest.json", text}};
  Cancellation cancellation;
  const BackupInventory inventory = ReadBackups(storage, ListBackupFolders(storage), cancellation);
  EXPECT_EQ(inventory.backups.size(), 2u);
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "main/db/xb1");
  EXPECT_EQ(inventory.unreadable[1].folder, "other/db/b1");
}

TEST(InventoryRun, ListsFoldersThenReadsThem) {
  MemoryHarness run;
  Manifest manifest = ManifestOf("a/b1", 7, "db");
  manifest.fingerprints[{"s", "t"}] = RowFingerprint{1, 2, 3};
  StoreManifestText(run.storage, manifest);
  run.storage.objects["a/b2/manifest.json"] = "{";
  InventoryJob job;
  EXPECT_EQ(FieldOf(RunInventory(job, run.harness.context), "folders"),
            (boost::json::array{"a/b1", "a/b2"}));
  job.folders = {"a/b1", "a/b2"};
  const RunOutcome outcome = RunInventory(job, run.harness.context);
  const boost::json::array backups = FieldOf(outcome, "backups");
  ASSERT_EQ(backups.size(), 1u);
  EXPECT_EQ(TextOf(backups[0], "file_name"), "a/b1");
  EXPECT_EQ(backups[0].at("manifest").at("backup").at("id").as_int64(), 7);
  EXPECT_FALSE(backups[0].at("manifest").as_object().contains("fingerprints"))
      << "the catalog has none";
  const boost::json::array unreadable = FieldOf(outcome, "unreadable");
  ASSERT_EQ(unreadable.size(), 1u);
  EXPECT_EQ(TextOf(unreadable[0], "file_name"), "a/b2");
}

}  // namespace
}  // namespace pgbackup
