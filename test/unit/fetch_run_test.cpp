#include "core/fetch/fetch_run.h"

#include <fstream>

#include "core/pipeline/codec.h"
#include "storage_test_support.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

std::string ZstdText(const std::string& text) {
  SinkLog log;
  const std::unique_ptr<Sink> encoder =
      MakeEncoder(std::make_unique<LoggingSink>(&log), Compression());
  encoder->Write(AsBytes(text));
  encoder->Finish();
  return log.bytes;
}

class FetchRunTest : public ::testing::Test {
 protected:
  FetchRunTest() {
    stored_ = ZstdText(content_);
    ManifestObject& object = AddObject(run_.storage, manifest_, "database.sql.zst", stored_);
    object.raw_size = content_.size();
    // In two pieces.
    const std::string first = stored_.substr(0, 100), second = stored_.substr(100);
    run_.storage.objects["main/db/b1/database.sql.zst"] = first;
    run_.storage.objects["main/db/b1/database.sql.zst.part2"] = second;
    object.segments = {{"database.sql.zst", first.size(), ToHex(Sha256::Of(first))},
                       {"database.sql.zst.part2", second.size(), ToHex(Sha256::Of(second))}};
    StoreManifestText(run_.storage, manifest_);
    job_.file_name = manifest_.file_name;
    job_.directory = directory_.path() + "/out";
  }
  RunOutcome Run() { return RunFetch(job_, run_.harness.context); }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    if (!std::filesystem::exists(job_.directory)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(job_.directory)) {
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return files;
  }

  MemoryHarness run_;
  TemporaryDirectory directory_;
  const std::string content_ = SomeBytes(5000);
  std::string stored_;
  Manifest manifest_ = ManifestOf("main/db/b1", 1, "db");
  FetchJob job_;
};

TEST_F(FetchRunTest, ObjectsComeAsTheyAre) {
  EXPECT_EQ(FieldOf(Run(), "files").size(), 2u);
  EXPECT_EQ(Files(), (std::map<std::string, std::string>{
                         {"database.sql.zst", stored_.substr(0, 100)},
                         {"database.sql.zst.part2", stored_.substr(100)},
                         {"manifest.json", run_.storage.objects["main/db/b1/manifest.json"]}}));
}

TEST_F(FetchRunTest, DecompressedTheyAreWholeFiles) {
  job_.decompress = true;
  const boost::json::array files = FieldOf(Run(), "files");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(TextOf(files[0], "name"), "database.sql");
  EXPECT_TRUE(SameBytes(Files()["database.sql"], content_));
}

TEST_F(FetchRunTest, DamageLeavesNothing) {
  run_.storage.objects["main/db/b1/database.sql.zst.part2"][7] ^= 1;
  for (const bool decompress : {false, true}) {
    job_.decompress = decompress;
    Cancellation fresh;  // a run that fails sets its own
    Progress progress;
    RunContext context{*run_.environment,        fresh, progress, run_.harness.context.open_storage,
                       run_.harness.context.log, {},    {}};
    const RunOutcome outcome = RunFetch(job_, context);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::kCorrupt);
    EXPECT_NE((outcome.error->message()).find("database.sql.zst"), std::string::npos);
    EXPECT_TRUE(Files().empty());
    EXPECT_TRUE(outcome.cleaned);
  }
}

TEST_F(FetchRunTest, ADirectoryThatHoldsSomethingIsLeftAlone) {
  std::filesystem::create_directory(job_.directory);
  std::ofstream(job_.directory + "/mine") << "x";
  const RunOutcome outcome = Run();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(Files(), (std::map<std::string, std::string>{{"mine", "x"}}));
}

TEST_F(FetchRunTest, TwoObjectsNeverBecomeOneFile) {
  ManifestObject other = manifest_.objects[0];
  other.name = "database.sql.gz";  // database.sql, too
  manifest_.objects.push_back(other);
  StoreManifestText(run_.storage, manifest_);
  for (const bool decompress : {true, false}) {
    job_.decompress = decompress;
    const RunOutcome outcome = Run();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::kCorrupt) << decompress;
    EXPECT_TRUE(Files().empty());
  }
}

TEST_F(FetchRunTest, NamesThatNoBackupGivesAreRefused) {
  for (const auto& [name, kind] : {std::pair{"sub/database.sql", ErrorKind::kInvalid},
                                   std::pair{"manifest.json", ErrorKind::kInvalid},
                                   std::pair{".bashrc", ErrorKind::kCorrupt}}) {
    manifest_.objects[0].name = name;
    manifest_.objects[0].segments.resize(1);
    manifest_.objects[0].segments[0].name = name;
    StoreManifestText(run_.storage, manifest_);
    const RunOutcome outcome = Run();
    ASSERT_TRUE(outcome.error) << name;
    EXPECT_EQ(outcome.error->kind(), kind) << name;
    EXPECT_TRUE(Files().empty());
  }
}

}  // namespace
}  // namespace pgbackup
