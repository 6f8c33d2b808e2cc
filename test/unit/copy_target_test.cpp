#include "core/copies/copy_target.h"

#include "copies_test_support.h"
#include "core/base/sha256.h"
#include "core/copies/tee_storage.h"
#include "core/manifest/segment_sink.h"

namespace pgbackup {
namespace {

using std::chrono::milliseconds;

const char* const kManifest = "f/manifest.json";

// A primary and a copy, with a backup that writes to both.
class CopyTargetTest : public ::testing::Test {
 protected:
  void Begin(const CopyLimits& limits = {}) {
    targets_.push_back(std::make_unique<CopyTarget>(
        [this](const Cancellation& until) {
          copy_.cancellation = &until;
          return std::make_unique<BorrowedStorage>(copy_);
        },
        "f", Claim{std::string(32, 'a')}, limits, *environment_, run_));
    tee_.emplace(primary_, targets_);
  }

  CopyTarget& target() { return *targets_[0]; }

  void WriteObject(const std::string& name, const std::string& text, size_t chunk) {
    SegmentSink sink(*tee_, "f/" + name, &stored_);
    for (size_t at = 0; at < text.size(); at += chunk)
      sink.Write(AsBytes(std::string_view(text).substr(at, chunk)));
    sink.Finish();
  }

  std::optional<Error> Completed(const std::string& manifest) {
    target().Complete(manifest);
    target().Await();
    return target().failure();
  }

  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  Cancellation run_;
  TroubledStorage primary_{"memory://primary"};
  TroubledStorage copy_;
  CopyTargets targets_;
  std::optional<TeeStorage> tee_;
  std::atomic<uint64_t> stored_{0};
};

TEST_F(CopyTargetTest, HoldsTheSameObjectsAndTheManifest) {
  Begin();
  WriteObject("a", std::string(100'000, 'a'), 999);
  WriteObject("b", "", 1);
  primary_.Store(kManifest, "{}");
  EXPECT_EQ(Completed("{}"), std::nullopt);
  EXPECT_EQ(copy_.objects(), primary_.objects());
  EXPECT_EQ(copy_.objects().size(), 3u);
  EXPECT_TRUE(copy_.HasClaim("f"));
  EXPECT_EQ(stored_, 100'000u) << "bytes count once";
}

TEST_F(CopyTargetTest, HasNoManifestBeforeThePrimaryHasOne) {
  Begin();
  WriteObject("a", "text", 4);
  target().Await();
  EXPECT_EQ(copy_.objects().count("f/a"), 1u);
  EXPECT_EQ(copy_.objects().count(kManifest), 0u);
}

TEST_F(CopyTargetTest, AFailureAtAByteLeavesTheBackupAlone) {
  for (const uint64_t at : {0, 1, 4'999, 5'000, 9'999}) {
    targets_.clear();
    TroubledStorage fresh;
    copy_.fail_after = at;
    Begin();
    WriteObject("a", std::string(10'000, 'a'), 1'000);
    EXPECT_EQ(primary_.objects()["f/a"].size(), 10'000u);
    const auto failure = Completed("{}");
    ASSERT_TRUE(failure) << at;
    EXPECT_EQ(failure->message(), "the disk is gone");
    EXPECT_EQ(copy_.objects().size(), 0u) << at;
  }
}

TEST_F(CopyTargetTest, AFailedCopyGetsNoFurtherObject) {
  copy_.fail_after = 0;
  Begin();
  WriteObject("a", "text", 4);
  target().Await();
  const int puts = copy_.puts();
  WriteObject("b", "text", 4);
  EXPECT_TRUE(Completed("{}"));
  EXPECT_EQ(copy_.puts(), puts);
  EXPECT_EQ(primary_.objects().size(), 2u);
}

TEST_F(CopyTargetTest, ASlowCopyIsGivenUpAndTheBackupGoesOn) {
  copy_.hold_after = 2'000;
  CopyLimits limits;
  limits.patience = {milliseconds(100), 0};
  limits.queue_bytes = 1'000;
  Begin(limits);
  WriteObject("a", std::string(100'000, 'a'), 500);
  EXPECT_EQ(primary_.objects()["f/a"].size(), 100'000u);
  const auto failure = Completed("{}");
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->message().find("too slow"), std::string::npos) << failure->message();
  EXPECT_FALSE(failure->hint().empty());
  EXPECT_TRUE(copy_.objects().empty());
  EXPECT_TRUE(target().HasTouchedTheFolder());
}

TEST_F(CopyTargetTest, TheEndOfASlowCopyIsNotAwaitedForEver) {
  copy_.hold_after = 0;
  CopyLimits limits;
  limits.patience = {milliseconds(100), 0};
  Begin(limits);
  WriteObject("a", "fits into the queue", 500);
  const auto failure = Completed("{}");
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->message().find("too slow"), std::string::npos) << failure->message();
}

TEST_F(CopyTargetTest, TheEndOfTheRunEndsAWaitForTheCopy) {
  copy_.hold_after = 0;
  Begin();  // patience of half a minute
  WriteObject("a", "text", 500);
  run_.Cancel();
  const auto failure = Completed("{}");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind(), ErrorKind::kCancelled);
}

TEST_F(CopyTargetTest, AFailureOfThePrimaryEndsTheCopy) {
  primary_.fail_after = 5'000;
  Begin();
  EXPECT_THROW(WriteObject("a", std::string(10'000, 'a'), 1'000), Error);
  target().GiveUp(Error(ErrorKind::kCancelled, "the backup failed"));
  ASSERT_TRUE(target().failure());
  EXPECT_TRUE(copy_.objects().empty());
}

TEST_F(CopyTargetTest, AFolderWithABackupIsNotTouched) {
  copy_.Store(kManifest, "another's");
  copy_.Store("f/a", "another's");
  const auto before = copy_.objects();
  Begin();
  WriteObject("a", "text", 4);
  const auto failure = Completed("{}");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(copy_.objects(), before);
  EXPECT_FALSE(copy_.HasClaim("f"));
  EXPECT_FALSE(target().HasTouchedTheFolder());
}

TEST_F(CopyTargetTest, AStorageThatCannotBeOpenedIsTheCopysFailureAlone) {
  targets_.push_back(std::make_unique<CopyTarget>(
      [](const Cancellation&) -> std::unique_ptr<Storage> {
        throw Error(ErrorKind::kInvalid, "bad setting");
      },
      "f", Claim{std::string(32, 'a')}, CopyLimits{}, *environment_, run_));
  tee_.emplace(primary_, targets_);
  EXPECT_EQ(tee_->MaxObjectSize(), primary_.MaxObjectSize());
  WriteObject("a", "text", 4);
  const auto failure = Completed("{}");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "bad setting");
  EXPECT_EQ(primary_.objects().size(), 1u);
}

}  // namespace
}  // namespace pgbackup
