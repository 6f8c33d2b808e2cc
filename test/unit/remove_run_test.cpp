#include "core/maintenance/remove_run.h"

#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

constexpr const char* kFolder = "main/shop/backup_7";
const Instance kMe{"7001", "token", "here", 1};

class RemoveRunTest : public ::testing::Test {
 protected:
  RemoveRunTest() {
    job_.id = 7;
    job_.file_name = kFolder;
    job_.run_key = std::string(32, 'a');
    job_.instance = kMe;
  }
  void ClaimBy(const std::string& key, const Instance& instance = kMe) {
    ClaimFolder(memory_.storage, kFolder, {key, instance, 7, "shop", "main", ""});
    memory_.storage.objects[std::string(kFolder) + "/database.dump.zst"] = "x";
  }
  void Complete() {
    Manifest manifest = ManifestOf(kFolder, 7, "shop");
    manifest.run_key = job_.run_key;
    manifest.cluster.system_identifier = kMe.system_identifier;
    StoreManifestText(memory_.storage, manifest);
  }
  RunOutcome Run(RemoveReason reason) {
    job_.reason = reason;
    return RunRemove(job_, memory_.harness.context);
  }
  // Objects in the folder.
  size_t Left() {
    size_t left = 0;
    memory_.storage.List(kFolder, [&](const ObjectInfo&) { ++left; });
    return left;
  }

  MemoryHarness memory_;
  RemoveJob job_;
};

constexpr RemoveReason kAll[] = {RemoveReason::kDeleted, RemoveReason::kExpired,
                                 RemoveReason::kUnfinished};

TEST_F(RemoveRunTest, RemovesWhatIsTheRuns) {
  RenewLease(memory_.storage, kMe, "main");
  for (const RemoveReason reason : kAll) {
    ClaimBy(job_.run_key);
    if (reason != RemoveReason::kUnfinished) Complete();
    EXPECT_EQ(Run(reason).state, RunState::kCompleted);
    EXPECT_EQ(Left(), 0u);
  }
}

TEST_F(RemoveRunTest, TheClusterMayHaveHadAnotherSystemIdentifier) {
  RenewLease(memory_.storage, kMe, "main");
  ClaimBy(job_.run_key, {"6999", "token", kMe.place, 1});
  Manifest manifest = ManifestOf(kFolder, 7, "shop");
  manifest.run_key = job_.run_key;
  manifest.cluster.system_identifier = "6999";
  StoreManifestText(memory_.storage, manifest);
  EXPECT_EQ(Run(RemoveReason::kExpired).error->kind(), ErrorKind::kAlreadyExists);
  job_.earlier_system_identifiers = {"6998", "6999"};
  EXPECT_EQ(Run(RemoveReason::kExpired).state, RunState::kCompleted);
  EXPECT_EQ(Left(), 0u);
}

TEST_F(RemoveRunTest, LeavesAnotherRunsFolderAlone) {
  RenewLease(memory_.storage, kMe, "main");
  ClaimBy(std::string(32, 'b'));
  for (const RemoveReason reason : kAll) {
    const RunOutcome outcome = Run(reason);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::kAlreadyExists);
    EXPECT_EQ(Left(), 2u);
  }
}

TEST_F(RemoveRunTest, AnUnfinishedRunThatIsCompleteIsAdopted) {
  ClaimBy(job_.run_key);
  Complete();
  const RunOutcome outcome = Run(RemoveReason::kUnfinished);
  EXPECT_EQ(outcome.state, RunState::kCompleted);
  EXPECT_EQ(outcome.fields.at("adopted").at("checksum").as_string().size(), 64u);
  EXPECT_EQ(Left(), 3u);
}

TEST_F(RemoveRunTest, NothingIsRemovedWithoutTheLease) {
  TakeOverLease(memory_.storage, "token", {"7001", "token", "elsewhere", 1}, "main");
  ClaimBy(job_.run_key);
  for (const RemoveReason reason : kAll) {
    const RunOutcome outcome = Run(reason);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::kDenied);
  }
  EXPECT_EQ(Left(), 2u);
}

TEST_F(RemoveRunTest, WhatACopyHasWrittenIsRemovedByHandAlone) {
  RenewLease(memory_.storage, kMe, "main");
  ClaimBy(job_.run_key, {"7001", "token", "clone", 1});
  EXPECT_EQ(Run(RemoveReason::kExpired).error->kind(), ErrorKind::kDenied);
  EXPECT_EQ(Left(), 2u);
  EXPECT_EQ(Run(RemoveReason::kDeleted).state, RunState::kCompleted);
  EXPECT_EQ(Left(), 0u);
}

TEST_F(RemoveRunTest, AnEmptyPlaceIsNotTheStorageThatHeldABackup) {
  for (const RemoveReason reason : {RemoveReason::kDeleted, RemoveReason::kExpired}) {
    const RunOutcome outcome = Run(reason);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::kUnavailable);
  }
  EXPECT_EQ(Run(RemoveReason::kUnfinished).state, RunState::kCompleted) << "nothing was written";
  RenewLease(memory_.storage, kMe, "main");
  EXPECT_EQ(Run(RemoveReason::kDeleted).state, RunState::kCompleted) << "the storage is the one";
}

TEST_F(RemoveRunTest, SomethingElseInThePlaceOfTheFolderIsAnError) {
  RenewLease(memory_.storage, kMe, "main");
  memory_.storage.objects[kFolder] = "a file";
  EXPECT_EQ(Run(RemoveReason::kDeleted).error->kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace pgbackup
