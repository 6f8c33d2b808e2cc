#include "core/copies/copy_run.h"

#include <fmt/format.h>

#include "copies_test_support.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest.h"

namespace pgbackup {
namespace {

constexpr const char* kFolder = "c/db/b1";

class CopyRunTest : public ::testing::Test {
 protected:
  CopyRunTest() {
    Manifest manifest;
    manifest.id = 1;
    manifest.file_name = kFolder;
    manifest.database = "db";
    manifest.properties.locale_provider = "libc";
    ManifestObject object;
    object.name = "database.dump.zst";
    object.sections = {"pre-data", "data", "post-data"};
    for (const auto& [name, text] : {std::pair{"database.dump.zst", std::string(5000, 'x')},
                                     std::pair{"database.dump.zst.part2", std::string("end")}}) {
      source_.Store(std::string(kFolder) + "/" + name, text);
      object.segments.push_back({name, text.size(), ToHex(Sha256::Of(text))});
    }
    manifest.objects.push_back(object);
    manifest_ = boost::json::serialize(ManifestToJson(manifest)) + "\n";
    source_.Store(ManifestObjectName(kFolder), manifest_);
    job_.id = 9;
    job_.file_name = kFolder;
    job_.storage.url = "target";
    job_.source.url = "source";
    job_.checksum = ToHex(Sha256::Of(manifest_));
  }

  RunOutcome Run() {
    const RunContext context{*environment_,
                             cancellation_,
                             progress_,
                             [&](const Cancellation& until) { return Open(job_.storage, until); },
                             [](const std::string&) {},
                             [&](const StorageSettings& settings, const Cancellation& until) {
                               return Open(settings, until);
                             },
                             {}};
    return RunCopy(job_, context);
  }

  std::unique_ptr<Storage> Open(const StorageSettings& settings, const Cancellation& until) {
    until.ThrowIfCancelled();
    return std::make_unique<BorrowedStorage>(settings.url == "source" ? source_ : target_);
  }

  std::string Name(const std::string& leaf) const { return std::string(kFolder) + "/" + leaf; }

  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  Cancellation cancellation_;
  Progress progress_;
  TroubledStorage source_{"memory://source"}, target_{"memory://target"};
  std::string manifest_;
  CopyJob job_;
};

TEST_F(CopyRunTest, TheCopyIsTheSame) {
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.state, RunState::kCompleted);
  EXPECT_EQ(outcome.fields.at("file_size").to_number<uint64_t>(), 5003 + manifest_.size());
  EXPECT_EQ(target_.objects(), source_.objects());
  EXPECT_EQ(progress_.raw_bytes, progress_.total_bytes);
}

TEST_F(CopyRunTest, WhatAnEarlierAttemptHasLeftIsReplaced) {
  target_.Store(Name("claim.json"), fmt::format(R"({{"run_key":"{}","instance":{{}}}})",
                                                ToHex(Sha256::Of(manifest_)).substr(0, 32)));
  target_.Store(Name("database.dump.zst"), "half");
  target_.Store(Name("data-000.dump.zst"), "half");
  target_.Store("c/db/b2/manifest.json", "another's");
  EXPECT_EQ(Run().state, RunState::kCompleted);
  auto expected = source_.objects();
  expected["c/db/b2/manifest.json"] = "another's";
  EXPECT_EQ(target_.objects(), expected);
}

TEST_F(CopyRunTest, WhatAnotherRunHasLeftIsNotTouched) {
  target_.Store(Name("claim.json"), R"({"run_key":"another's","instance":{}})");
  target_.Store(Name("database.dump.zst"), "half");
  const auto before = target_.objects();
  EXPECT_EQ(Run().error->kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(target_.objects(), before);
}

TEST_F(CopyRunTest, ACopyThatIsCompleteIsLeftAsItIs) {
  EXPECT_EQ(Run().state, RunState::kCompleted);
  const int puts = target_.puts();
  EXPECT_EQ(Run().state, RunState::kCompleted);
  EXPECT_EQ(target_.puts(), puts);
}

TEST_F(CopyRunTest, AnotherBackupInTheTargetIsNotTouched) {
  target_.Store(Name("manifest.json"), "another's");
  const auto before = target_.objects();
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.state, RunState::kFailed);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kAlreadyExists);
  EXPECT_TRUE(outcome.cleaned);
  EXPECT_EQ(target_.objects(), before);
}

TEST_F(CopyRunTest, DamagedBytesAreNotCopied) {
  source_.Store(Name("database.dump.zst.part2"), "eND");
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.state, RunState::kFailed);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(outcome.cleaned);
  EXPECT_TRUE(target_.objects().empty());
}

TEST_F(CopyRunTest, AnotherManifestThanTheCatalogKnowsIsNotCopied) {
  job_.checksum = std::string(64, '0');
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(target_.objects().empty());
}

TEST_F(CopyRunTest, AFailureLeavesNothing) {
  target_.fail_after = 5001;
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.state, RunState::kFailed);
  EXPECT_TRUE(outcome.cleaned);
  EXPECT_TRUE(target_.objects().empty());
}

TEST_F(CopyRunTest, AnObjectTooLargeForTheTargetSaysSo) {
  TroubledStorage small("memory://small", 100);
  job_.storage.url = "small";
  const RunContext context{
      *environment_,
      cancellation_,
      progress_,
      [&](const Cancellation&) { return std::make_unique<BorrowedStorage>(small); },
      [](const std::string&) {},
      [&](const StorageSettings& settings, const Cancellation& until) {
        return Open(settings, until);
      },
      {}};
  const RunOutcome outcome = RunCopy(job_, context);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kInvalid);
  EXPECT_NE(outcome.error->hint().find("s3_part_size"), std::string::npos);
}

}  // namespace
}  // namespace pgbackup
