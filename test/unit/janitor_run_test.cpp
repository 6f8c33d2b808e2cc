// The janitor at work in a directory and in a store in memory. What it takes for a leftover is in
// leftovers_test.cpp.
#include "core/maintenance/janitor_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/storage/file_storage.h"
#include "run_test_support.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

// "folder what count kept" of every entry.
std::vector<std::string> Found(const RunOutcome& outcome) {
  std::vector<std::string> lines;
  for (const boost::json::value& entry : FieldOf(outcome, "found"))
    lines.push_back(TextOf(entry, "folder") + " " + TextOf(entry, "what") + " " +
                    std::to_string(entry.at("count").to_number<int64_t>()) +
                    (TextOf(entry, "kept").empty() ? "" : " kept: " + TextOf(entry, "kept")));
  return lines;
}

using Lines = std::vector<std::string>;

class FileJanitor : public ::testing::Test {
 protected:
  std::string root() const { return directory_.path() + "/root"; }

  void Put(const std::string& name, std::chrono::seconds age) {
    const std::string path = root() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    const int file = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_GE(file, 0);
    const auto written = std::chrono::duration_cast<std::chrono::seconds>(
        (environment_->Now() - age).time_since_epoch());
    const timespec times[] = {{written.count(), 0}, {written.count(), 0}};
    ASSERT_EQ(futimens(file, times), 0);
    close(file);
  }
  bool Exists(const std::string& name) { return std::filesystem::exists(root() + "/" + name); }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  RunHarness harness_{*environment_, [this](const Cancellation& cancellation) {
                        return std::make_unique<FileStorage>(root(), *environment_, cancellation);
                      }};
  JanitorJob job_;
};

TEST_F(FileJanitor, LooksWithoutTouching) {
  job_.older_than = 3600;
  Put("a/schema.dump.zst", std::chrono::hours(2));
  Put("a/.pgbackup-00.tmp", std::chrono::hours(2));
  Put("b/schema.dump.zst", std::chrono::minutes(59));
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), (Lines{"a uploads 1", "a objects 1"}));
  EXPECT_TRUE(Exists("a/schema.dump.zst"));
  EXPECT_TRUE(Exists("a/.pgbackup-00.tmp"));
}

TEST_F(FileJanitor, FindsNothingWhereNothingIs) {
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{});
  EXPECT_FALSE(Exists(""));
}

TEST_F(FileJanitor, RemovesFromTheFoldersItIsGivenOnly) {
  job_.older_than = 3600;
  job_.remove = true;
  job_.folders = {"a"};
  job_.upload_folders = {"b"};
  for (const char* folder : {"a", "b"}) {
    Put(std::string(folder) + "/schema.dump.zst", std::chrono::hours(2));
    Put(std::string(folder) + "/.pgbackup-00.tmp", std::chrono::hours(2));
  }
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), (Lines{"b uploads 1", "a objects 1"}));
  EXPECT_FALSE(Exists("a/schema.dump.zst"));
  EXPECT_TRUE(Exists("a/.pgbackup-00.tmp"));
  EXPECT_TRUE(Exists("b/schema.dump.zst"));
  EXPECT_FALSE(Exists("b/.pgbackup-00.tmp"));
}

TEST_F(FileJanitor, LooksAgainBeforeItRemoves) {
  job_.older_than = 3600;
  job_.remove = true;
  job_.folders = {"finished", "young", "gone"};
  Put("finished/database.dump.zst", std::chrono::hours(2));
  Put("finished/manifest.json", std::chrono::hours(2));
  Put("young/schema.dump.zst", std::chrono::hours(2));
  Put("young/data-000.dump.zst", std::chrono::seconds(0));
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{});
  EXPECT_TRUE(Exists("finished/database.dump.zst"));
  EXPECT_TRUE(Exists("young/schema.dump.zst"));
}

TEST_F(FileJanitor, LeavesWhatOthersHaveWrittenAndSaysSo) {
  job_.older_than = 3600;
  job_.remove = true;
  job_.folders = {"a"};
  Put("a/schema.dump.zst", std::chrono::hours(2));
  Put("a/notes.txt", std::chrono::hours(2));
  Put("a/below/schema.dump.zst", std::chrono::hours(2));
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)),
            (Lines{"a objects 1", "a foreign 1 kept: not written by pgbackup"}));
  EXPECT_FALSE(Exists("a/schema.dump.zst"));
  EXPECT_TRUE(Exists("a/notes.txt"));
  EXPECT_TRUE(Exists("a/below/schema.dump.zst"));
}

TEST_F(FileJanitor, EndsWhenItIsCancelled) {
  harness_.cancellation.Cancel();
  Put("a/schema.dump.zst", std::chrono::hours(2));
  EXPECT_EQ(RunJanitor(job_, harness_.context).state, RunState::kCancelled);
}

class S3Janitor : public ::testing::Test {
 protected:
  S3Janitor() {
    settings_.endpoint = "http://store:9000";
    store_.clock = [this] { return environment_.Now() + ahead_; };
  }

  void Put(const std::string& name) {
    store_.objects[name] = {"x", "", 1, environment_.Now() + ahead_};
  }
  void BeginUpload(const std::string& name) {
    store_.uploads["upload-" + name] = {name, "", {}, environment_.Now() + ahead_};
  }

  FakeEnvironment environment_;
  FakeStore store_;
  S3Settings settings_;
  std::chrono::seconds ahead_{0};  // the store's clock
  RunHarness harness_{environment_, [this](const Cancellation& cancellation) {
                        return std::make_unique<S3Storage>(
                            S3Location{"bucket", "p"}, settings_, S3Limits{},
                            std::make_unique<FakeTransport>(store_), environment_, cancellation);
                      }};
  JanitorJob job_;
};

TEST_F(S3Janitor, RemovesWhatIsOldAndLeavesWhatIsYoung) {
  Put("p/a/schema.dump.zst");
  BeginUpload("p/a/data-000.dump.zst");
  Put("other/a/schema.dump.zst");
  environment_.Advance(std::chrono::hours(2));
  Put("p/b/schema.dump.zst");
  BeginUpload("p/b/data-000.dump.zst");
  job_.older_than = 3600;
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), (Lines{"a uploads 1", "a objects 1"}));
  job_.remove = true;
  job_.folders = job_.upload_folders = {"a", "b"};
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), (Lines{"a uploads 1", "a objects 1"}));
  EXPECT_EQ(store_.objects.size(), 2u);
  EXPECT_EQ(store_.uploads.size(), 1u);
}

TEST_F(S3Janitor, GoesByTheClockOfTheStore) {
  for (const int hours : {-24, 24}) {
    ahead_ = std::chrono::hours(hours);
    store_.objects.clear();
    Put("p/a/schema.dump.zst");
    environment_.Advance(std::chrono::minutes(50));
    job_ = {};
    job_.older_than = 3600;
    EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{}) << hours;
    environment_.Advance(std::chrono::minutes(11));
    EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{"a objects 1"}) << hours;
    job_.remove = true;
    job_.folders = {"a"};
    EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{"a objects 1"}) << hours;
  }
}

TEST_F(S3Janitor, SeesAManifestThatComesAtTheLastMoment) {
  Put("p/a/schema.dump.zst");
  environment_.Advance(std::chrono::hours(2));
  job_.older_than = 3600;
  job_.remove = true;
  job_.folders = {"a"};
  store_.after = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Has("list-type")) Put("p/a/manifest.json");
    return std::nullopt;
  };
  EXPECT_EQ(Found(RunJanitor(job_, harness_.context)), Lines{});
  EXPECT_EQ(store_.objects.count("p/a/schema.dump.zst"), 1u);
}

TEST_F(S3Janitor, ReportsWhatItMayNotRemove) {
  Put("p/a/schema.dump.zst");
  Put("p/a/data-000.dump.zst");
  BeginUpload("p/a/data-001.dump.zst");
  environment_.Advance(std::chrono::hours(2));
  job_.older_than = 3600;
  job_.remove = true;
  job_.folders = job_.upload_folders = {"a"};
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    const bool locked = request.path == "/bucket/p/a/schema.dump.zst" || request.Has("uploadId");
    if (request.method == "DELETE" && locked) return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  const Lines found = Found(RunJanitor(job_, harness_.context));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].rfind("a uploads 1 kept: could not abort", 0), 0u) << found[0];
  EXPECT_EQ(found[1], "a objects 1");
  EXPECT_EQ(found[2].rfind("a objects 1 kept: could not delete s3://bucket/p/a/schema", 0), 0u);
}

TEST_F(S3Janitor, FailsWhenTheStoreDoes) {
  store_.before = [](const SeenRequest&) -> std::optional<HttpResponse> {
    return ErrorAnswer(403, "InvalidAccessKeyId");
  };
  const RunOutcome outcome = RunJanitor(job_, harness_.context);
  EXPECT_EQ(outcome.state, RunState::kFailed);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kDenied);
}

}  // namespace
}  // namespace pgbackup
