#include "core/manifest/backup_inventory.h"

#include "core/base/timestamp.h"
#include "core/maintenance/inventory_run.h"
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
  const std::vector<std::string> folders = ListBackupFolders(storage).names;
  EXPECT_EQ(folders, (std::vector<std::string>{"a/new", "a/old", "b/mid"}));
  Cancellation cancellation;
  const BackupInventory inventory = ReadBackups(storage, folders, {}, cancellation);
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
      ReadBackups(storage, {"a/good", "a/garbage", "a/swapped", "a/gone"}, {}, cancellation);
  ASSERT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.backups[0].folder, "a/good");
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "a/garbage");
  EXPECT_EQ(inventory.unreadable[0].error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(inventory.unreadable[1].folder, "a/swapped");
  EXPECT_EQ(inventory.unreadable[1].error.message(),
            "the manifest in \"memory://test/a/swapped\" is that of another backup");
}

TEST(BackupInventory, OneFromTheFutureIsNotTheNewestForEver) {
  MemoryStorage storage;
  const WallTime now = SystemEnvironment()->Now();
  Manifest manifest = ManifestOf("a/today", 1, "db");
  manifest.started_at = FormatTimestamp(now);
  manifest.finished_at = FormatTimestamp(now + std::chrono::hours(1));
  StoreManifestText(storage, manifest);
  manifest = ManifestOf("a/2999", 2, "db");
  manifest.started_at = "2999-01-01T00:00:00Z";
  StoreManifestText(storage, manifest);
  manifest = ManifestOf("a/ends", 3, "db");
  manifest.finished_at = "2999-01-01T00:00:00Z";
  StoreManifestText(storage, manifest);
  Cancellation cancellation;
  const std::vector<std::string> folders = ListBackupFolders(storage).names;
  const BackupInventory inventory = ReadBackups(storage, folders, {{}, now}, cancellation);
  ASSERT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.backups[0].folder, "a/today");
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].error.message(),
            "the manifest in \"memory://test/a/2999\" is from the future");
  EXPECT_EQ(ReadBackups(storage, folders, {}, cancellation).backups.size(), 3u);
}

// Refuses to read some objects.
class LockedStorage final : public ForwardingStorage {
 public:
  LockedStorage(Storage& inner, std::set<std::string> locked)
      : ForwardingStorage(inner), locked_(std::move(locked)) {}
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    if (locked_.count(name) != 0) throw Error(ErrorKind::kDenied, "access denied");
    ForwardingStorage::Get(name, to, offset, length);
  }

 private:
  std::set<std::string> locked_;
};

TEST(BackupInventory, OneThatTheStorageDoesNotLetBeReadIsNamed) {
  MemoryStorage storage;
  StoreManifestText(storage, ManifestOf("a/b1", 1, "db"));
  StoreManifestText(storage, ManifestOf("a/b2", 2, "db"));
  LockedStorage one(storage, {"a/b1/manifest.json"});
  Cancellation cancellation;
  const BackupInventory inventory = ReadBackups(one, {"a/b1", "a/b2"}, {}, cancellation);
  EXPECT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.unreadable.at(0).error.message(), "access denied");
  LockedStorage all(storage, {"a/b1/manifest.json", "a/b2/manifest.json"});
  EXPECT_EQ(ErrorOf([&] {
              ReadBackups(all, {"a/b1", "a/b2"}, {}, cancellation);
            }).kind(),
            ErrorKind::kDenied);
}

// Does not let one folder be looked into.
class StorageWithClosedFolder final : public ForwardingStorage {
 public:
  StorageWithClosedFolder(Storage& inner, std::string closed)
      : ForwardingStorage(inner), closed_(std::move(closed)) {}
  void ListReadable(const std::string& prefix, const EachObject& each,
                    const EachUnlisted& unlisted) override {
    unlisted(closed_, Error(ErrorKind::kDenied, "closed"));
    ForwardingStorage::ListReadable(
        prefix,
        [&](const ObjectInfo& object) {
          if (!object.name.starts_with(closed_ + "/")) each(object);
        },
        unlisted);
  }

 private:
  std::string closed_;
};

TEST(BackupInventory, AFolderThatCannotBeLookedIntoIsNamed) {
  MemoryStorage memory;
  StoreManifestText(memory, ManifestOf("a/b1", 1, "db"));
  StoreManifestText(memory, ManifestOf("a/b2", 2, "db"));
  memory.objects["a/b3/manifest.json"] = "{";
  StorageWithClosedFolder storage(memory, "a/b1");
  Cancellation cancellation;
  const BackupInventory inventory =
      ReadBackups(storage, ListBackupFolders(storage), {}, cancellation);
  ASSERT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.backups[0].folder, "a/b2");
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "a/b1");
  EXPECT_EQ(inventory.unreadable[0].error.message(), "closed");
  EXPECT_EQ(inventory.unreadable[1].folder, "a/b3");
}

TEST(BackupInventory, WarningsAreBounded) {
  std::vector<UnreadableBackup> unreadable;
  for (int i = 0; i < 25; ++i)
    unreadable.push_back({"b", Error(ErrorKind::kDenied, std::to_string(i))});
  std::vector<std::string> lines;
  WarnOfUnreadable(unreadable, [&](const std::string& line) { lines.push_back(line); });
  ASSERT_EQ(lines.size(), 21u);
  EXPECT_EQ(lines.front(), "warning: 0");
  EXPECT_EQ(lines.back(), "warning: 5 more backups cannot be read");
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
  const BackupInventory inventory =
      ReadBackups(storage, ListBackupFolders(storage), {}, cancellation);
  EXPECT_EQ(inventory.backups.size(), 2u);
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "main/db/xb1");
  EXPECT_EQ(inventory.unreadable[1].folder, "other/db/b1");
}

// Each entry is a text, itself JSON in ASCII.
boost::json::array EntriesOf(const RunOutcome& outcome, const char* field) {
  boost::json::array entries;
  for (const boost::json::value& entry : FieldOf(outcome, field)) {
    const std::string text(entry.as_string());
    EXPECT_TRUE(
        std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    entries.push_back(boost::json::parse(text));
  }
  return entries;
}

TEST(InventoryRun, ListsFoldersThenReadsThem) {
  MemoryHarness run;
  Manifest manifest = ManifestOf("a/b1", 7, "db");
  manifest.fingerprints[{"s", "t"}] = RowFingerprint{1, 2, 3};
  StoreManifestText(run.storage, manifest);
  run.storage.objects["a/b2/manifest.json"] = "{";
  InventoryJob job;
  EXPECT_EQ(FieldOf(RunInventory(job, run.harness.context), "folders"),
            (boost::json::array{"\"a/b1\"", "\"a/b2\""}));
  job.folders = {"a/b1", "a/b2"};
  const RunOutcome outcome = RunInventory(job, run.harness.context);
  const boost::json::array backups = EntriesOf(outcome, "backups");
  ASSERT_EQ(backups.size(), 1u);
  EXPECT_EQ(TextOf(backups[0], "file_name"), "a/b1");
  EXPECT_EQ(backups[0].at("manifest").at("backup").at("id").as_int64(), 7);
  EXPECT_FALSE(backups[0].at("manifest").as_object().contains("fingerprints"))
      << "the catalog has none";
  const boost::json::array unreadable = EntriesOf(outcome, "unreadable");
  ASSERT_EQ(unreadable.size(), 1u);
  EXPECT_EQ(TextOf(unreadable[0], "file_name"), "a/b2");
}

TEST(InventoryRun, AnEntryIsAsciiWhateverItHolds) {
  MemoryHarness run;
  Manifest manifest = ManifestOf("a/größe 🐘", 7, "数据");
  manifest.label = std::string("\x7f\n");
  StoreManifestText(run.storage, manifest);
  run.storage.objects["a//b2/manifest.json"] = "{}";
  InventoryJob job;
  const RunOutcome listed = RunInventory(job, run.harness.context);
  EXPECT_EQ(EntriesOf(listed, "folders"), (boost::json::array{"a/größe 🐘"}));
  EXPECT_EQ(TextOf(EntriesOf(listed, "unreadable").at(0), "file_name"), "a//b2");
  job.folders = {"a/größe 🐘"};
  const boost::json::value read =
      EntriesOf(RunInventory(job, run.harness.context), "backups").at(0);
  EXPECT_EQ(TextOf(read.at("manifest").at("backup"), "database"), "数据");
  EXPECT_EQ(TextOf(read.at("manifest").at("backup"), "label"), "\x7f\n");
}

}  // namespace
}  // namespace pgbackup
