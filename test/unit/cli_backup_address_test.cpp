#include "cli/backup_address.h"

#include "core/ownership/lease.h"
#include "storage_test_support.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

class BackupAddressTest : public ::testing::Test {
 protected:
  void Store(const std::string& folder, int64_t id, const std::string& database,
             const std::string& cluster, const std::string& started) {
    Manifest manifest = ManifestOf(folder, id, database);
    manifest.cluster.name = cluster;
    manifest.started_at = started;
    StoreManifestText(storage_, manifest);
  }
  BackupAddressTest() {
    Store("main/shop/backup_shop_17", 17, "shop", "main", "2025-01-01T00:00:00Z");
    Store("main/shop/backup_shop_18", 18, "shop", "main", "2025-01-02T00:00:00Z");
    Store("main/bank/backup_bank_19", 19, "bank", "main", "2025-01-03T00:00:00Z");
    Store("other/shop/backup_shop_17", 17, "shop", "other", "2025-01-04T00:00:00Z");
    Store("main/named/otherwise", 40, "shop", "main", "2024-01-01T00:00:00Z");
  }
  std::string Find(const std::string& name, const std::string& database = "",
                   const std::string& cluster = "") {
    RunHarness harness(*environment_, {});
    try {
      std::string folder =
          FindBackup(storage_, {name, {database, cluster}}, keys_, harness.context).folder;
      warnings_ = harness.log;
      return folder;
    } catch (...) {
      warnings_ = harness.log;
      throw;
    }
  }
  Error Failure(const std::string& name, const std::string& database = "",
                const std::string& cluster = "") {
    return ErrorOf([&] { Find(name, database, cluster); });
  }

  const std::unique_ptr<Environment> environment_ = SystemEnvironment();
  MemoryStorage storage_;
  ManifestKeySettings keys_;
  std::string warnings_;
};

TEST_F(BackupAddressTest, AnIdNameOrLastPartFindsIt) {
  EXPECT_EQ(Find("18"), "main/shop/backup_shop_18");
  EXPECT_EQ(Find("40"), "main/named/otherwise");
  EXPECT_EQ(Find("main/shop/backup_shop_17"), "main/shop/backup_shop_17");
  EXPECT_EQ(Find("backup_bank_19"), "main/bank/backup_bank_19");
  EXPECT_EQ(Find("17", "", "other"), "other/shop/backup_shop_17");
  EXPECT_EQ(warnings_, "");
}

TEST_F(BackupAddressTest, OneFromTheFutureIsFoundByItsNameOnly) {
  Store("main/shop/backup_shop_99", 99, "shop", "main", "2999-01-01T00:00:00Z");
  EXPECT_EQ(Find("99"), "main/shop/backup_shop_99");
  EXPECT_EQ(Find("latest", "shop", "main"), "main/shop/backup_shop_18");
  EXPECT_NE(warnings_.find("from the future"), std::string::npos);
}

TEST_F(BackupAddressTest, LatestIsTheNewestOfOneDatabase) {
  EXPECT_EQ(Find("latest", "shop", "main"), "main/shop/backup_shop_18");
  EXPECT_EQ(Find("latest", "bank"), "main/bank/backup_bank_19");
  EXPECT_EQ(Find("latest", "", "other"), "other/shop/backup_shop_17");
}

TEST_F(BackupAddressTest, SeveralAreListed) {
  RunHarness harness(*environment_, {});
  EXPECT_THROW(FindBackup(storage_, {"17", {}}, keys_, harness.context), UsageError);
  EXPECT_EQ(Failure("17").detail(),
            "There are other/shop/backup_shop_17, main/shop/backup_shop_17.");
  EXPECT_EQ(Failure("backup_shop_17").message(), "several backups are named \"backup_shop_17\"");
  EXPECT_EQ(Failure("latest", "shop").detail(), "There are cluster \"main\", cluster \"other\".");
  EXPECT_EQ(Failure("latest", "", "main").detail(), "There are \"bank\", \"shop\".");
}

// A backup of database x by a server with a catalog, or a copy of it at another place.
std::string StoreOf(MemoryStorage& storage, const char* identifier, const char* token,
                    const char* place, const char* started_at) {
  Manifest manifest = ManifestOf(std::string("x/") + token + place, 1, "x");
  manifest.cluster.system_identifier = identifier;
  manifest.cluster.instance = {identifier, token, place, 1};
  manifest.started_at = started_at;
  StoreManifestText(storage, manifest);
  return InstanceOf(manifest);
}

TEST_F(BackupAddressTest, TheLatestOfTwoServersOfOneNameIsNobodys) {
  const std::string one = StoreOf(storage_, "1", "a", "here", "2025-01-01T00:00:00Z");
  const std::string other = StoreOf(storage_, "2", "b", "there", "2025-01-02T00:00:00Z");
  const Error error = Failure("latest", "x");
  EXPECT_EQ(error.message(), "\"latest\" does not say of which server");
  for (const std::string& instance : {one, other})
    EXPECT_NE(error.detail().find("cluster \"main\" (instance " + instance + ")"),
              std::string::npos);
  EXPECT_EQ(Find("latest", "x", one), "x/ahere");
  EXPECT_EQ(Find("latest", "x", other), "x/bthere");
  EXPECT_EQ(Find("latest", "x", "2"), "x/bthere");
}

TEST_F(BackupAddressTest, ACopyIsAnotherServerUntilItTakesOver) {
  StoreOf(storage_, "1", "a", "old", "2025-01-01T00:00:00Z");
  RenewLease(storage_, {"1", "a", "old", 1}, "main");
  StoreOf(storage_, "1", "a", "new", "2025-01-02T00:00:00Z");
  EXPECT_EQ(Failure("latest", "x").message(), "\"latest\" does not say of which server");
  TakeOverLease(storage_, "a", {"1", "a", "new", 2}, "main");
  EXPECT_EQ(Find("latest", "x"), "x/anew");
  StoreOf(storage_, "1", "a", "clone", "2025-01-03T00:00:00Z");
  EXPECT_NE(Failure("latest", "x").detail().find("instance"), std::string::npos);
}

TEST_F(BackupAddressTest, ABackupByTheCommandLineIsOfItsClustersServer) {
  StoreOf(storage_, "1", "a", "here", "2025-01-01T00:00:00Z");
  Manifest manifest = ManifestOf("x/by_hand", 1, "x");
  manifest.cluster.system_identifier = "1";
  manifest.started_at = "2025-01-02T00:00:00Z";
  StoreManifestText(storage_, manifest);
  EXPECT_EQ(Find("latest", "x"), "x/by_hand");
}

TEST_F(BackupAddressTest, WhatIsNotThereIsNotFound) {
  for (const char* name : {"99", "nothing", "shop_17", "7"})
    EXPECT_EQ(Failure(name).kind(), ErrorKind::kNotFound) << name;
  EXPECT_EQ(Failure("18", "bank").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(Failure("latest", "nowhere").message(),
            "there is no backup of database \"nowhere\" in memory://test");
}

TEST_F(BackupAddressTest, TheHintNamesWhatThereIs) {
  EXPECT_EQ(Failure("latest", "Shop").hint(),
            "There are backups of database \"shop\"; names are case-sensitive.");
  EXPECT_EQ(Failure("18", "SHOP").hint(),
            "There are backups of database \"shop\"; names are case-sensitive.");
  EXPECT_EQ(Failure("latest", "shops").hint(), "There are backups of database \"bank\", \"shop\".");
  EXPECT_EQ(Failure("latest", "shop", "Main").hint(),
            "There are backups of cluster \"main\"; names are case-sensitive.");
  EXPECT_EQ(Failure("99", "shop").hint(), "\"pgbackup list\" shows what there is.");
}

TEST_F(BackupAddressTest, ADamagedManifestIsTheAnswerOrAWarning) {
  storage_.objects["main/shop/backup_shop_18/manifest.json"] = "{";
  EXPECT_EQ(Failure("18").kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(Find("latest", "shop", "main"), "main/shop/backup_shop_17");
  EXPECT_NE(warnings_.find("backup_shop_18"), std::string::npos);
}

}  // namespace
}  // namespace pgbackup
