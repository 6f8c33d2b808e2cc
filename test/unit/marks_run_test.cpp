#include "core/maintenance/marks_run.h"

#include "core/manifest/manifest_store.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

constexpr const char* kFolderToMark = "main/shop/backup_7";
const Instance kMarkingServer{"7001", "token", "here", 1};

class MarksRunTest : public ::testing::Test {
 protected:
  MarksRunTest() {
    job_.instance = kMarkingServer;
    RenewLease(memory_.storage, kMarkingServer, "main");
  }
  void MakeBackup(const Instance& by = kMarkingServer) {
    ClaimFolder(memory_.storage, kFolderToMark, {std::string(32, 'a'), by, 7, "shop", "main", ""});
    Manifest manifest = ManifestOf(kFolderToMark, 7, "shop");
    manifest.cluster.instance = by;
    StoreManifestText(memory_.storage, manifest);
    checksum_ = ToHex(Sha256::Of(memory_.storage.objects[ManifestObjectName(kFolderToMark)]));
  }
  void Ask(bool pinned, const std::string& folder = kFolderToMark) {
    StoredMarks stored;
    stored.id = 7;
    stored.marks.file_name = folder;
    stored.marks.checksum = checksum_;
    stored.marks.pinned = pinned;
    stored.marks.changed_at = "2026-01-02T03:04:06.000001Z";
    job_.marks.push_back(stored);
  }
  // The message about each of the marks, empty when they are settled.
  std::vector<std::string> Run() {
    std::vector<std::string> messages;
    for (const auto& each : FieldOf(RunMarks(job_, memory_.harness.context), "marks"))
      messages.push_back(TextOf(each, "message"));
    return messages;
  }
  std::string Stored() {
    const auto found = memory_.storage.objects.find(MarksObjectName(kFolderToMark));
    return found == memory_.storage.objects.end() ? "" : found->second;
  }
  using Messages = std::vector<std::string>;

  MemoryHarness memory_;
  MarksJob job_;
  std::string checksum_ = std::string(64, 'a');
};

TEST_F(MarksRunTest, WritesWhatThereIsToSay) {
  MakeBackup();
  Ask(false);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "") << "nothing to say";
  job_.marks.clear();
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_TRUE(ReadMarks(memory_.storage, kFolderToMark, checksum_, {}).marks->pinned);
  job_.marks.clear();
  Ask(false);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_FALSE(ReadMarks(memory_.storage, kFolderToMark, checksum_, {}).marks->pinned);
}

TEST_F(MarksRunTest, WritesNothingBesideAnotherManifest) {
  MakeBackup();
  checksum_[0] = checksum_[0] == '0' ? '1' : '0';
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "");
  EXPECT_NE(memory_.harness.log.find("1 folders in "), std::string::npos);
}

TEST_F(MarksRunTest, WritesNothingIntoAnothersFolder) {
  for (const Instance& other :
       {Instance{"7001", "token", "clone", 1}, Instance{"8", "b", "c", 1}}) {
    memory_.storage.objects.clear();
    RenewLease(memory_.storage, kMarkingServer, "main");
    MakeBackup(other);
    Ask(true);
    EXPECT_EQ(Run(), Messages{""});
    EXPECT_EQ(Stored(), "");
    job_.marks.clear();
  }
  // A copy of the server does not write into the server's.
  memory_.storage.objects.clear();
  RenewLease(memory_.storage, kMarkingServer, "main");
  MakeBackup();
  job_.instance.place = "clone";
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "");
  TakeOverLease(memory_.storage, "token", job_.instance, "main");
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_NE(Stored(), "") << "it has taken over";
}

TEST_F(MarksRunTest, WritesBesideABackupOfTheCommandLine) {
  MakeBackup({"7001", "", "", 0});
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_NE(Stored(), "");
}

TEST_F(MarksRunTest, BringsNoRemovedBackupBack) {
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "");
  EXPECT_EQ(memory_.storage.objects.size(), 1u) << "the marker of the server";
  // What a killed run has left behind a removal.
  memory_.storage.objects[MarksObjectName(kFolderToMark)] = MarksText(job_.marks[0].marks, nullptr);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "");
  memory_.storage.objects[MarksObjectName(kFolderToMark)] = "somebody's";
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(Stored(), "somebody's");
}

TEST_F(MarksRunTest, TakesThemBackWhenTheBackupGoesAtThatMoment) {
  MakeBackup();
  class Removing : public ForwardingStorage {
   public:
    explicit Removing(MemoryStorage& storage) : ForwardingStorage(storage), memory_(storage) {}
    std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override {
      SweepFolder(memory_, kFolderToMark);
      return ForwardingStorage::Put(name, options);
    }

   private:
    MemoryStorage& memory_;
  };
  memory_.harness.context.open_storage = [&](const Cancellation&) {
    return std::make_unique<Removing>(memory_.storage);
  };
  Ask(true);
  EXPECT_EQ(Run(), Messages{""});
  EXPECT_EQ(memory_.storage.objects.size(), 1u);
}

TEST_F(MarksRunTest, AnEmptyPlaceIsNotTheStorageThatHeldABackup) {
  memory_.storage.objects.clear();
  Ask(true);
  const std::vector<std::string> messages = Run();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages[0].find("may not be the storage it was"), std::string::npos);
}

TEST_F(MarksRunTest, OneThatFailsDoesNotKeepTheOthers) {
  MakeBackup();
  memory_.storage.objects["broken/claim.json"] = "{";
  Ask(true, "broken");
  Ask(true);
  const std::vector<std::string> messages = Run();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_NE(messages[0], "");
  EXPECT_EQ(messages[1], "");
  EXPECT_NE(Stored(), "");
}

TEST_F(MarksRunTest, AreRemovedWithTheBackup) {
  MakeBackup();
  Ask(true);
  Run();
  ASSERT_NE(Stored(), "");
  SweepFolder(memory_.storage, kFolderToMark);
  EXPECT_EQ(memory_.storage.objects.size(), 1u);
}

}  // namespace
}  // namespace pgbackup
