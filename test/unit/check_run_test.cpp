// A check as a job: rows for all that is wrong, and nothing left behind. What is tried of an S3
// store is in s3_probe_test.cpp.
#include "core/check/check_run.h"

#include <sys/stat.h>

#include <fstream>

#include "core/storage/file_storage.h"
#include "run_test_support.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class CheckRun : public ::testing::Test {
 protected:
  CheckRun() {
    job_.server.host = directory_.path();  // no server there
    job_.server.bin_directory = directory_.path();
    job_.server_major = 15;
    job_.storage.url = "file://" + root();
  }
  std::string root() const { return directory_.path() + "/root"; }

  void Run() {
    const RunOutcome outcome = RunCheck(job_, harness_.context);
    for (const boost::json::value& row : FieldOf(outcome, "rows")) {
      rows_[TextOf(row, "item")] = TextOf(row, "status");
      details_[TextOf(row, "item")] = TextOf(row, "detail") + " " + TextOf(row, "hint");
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  RunHarness harness_{*environment_, [this](const Cancellation& cancellation) {
                        return OpenStorage(job_.storage, *environment_, cancellation);
                      }};
  CheckJob job_;
  std::map<std::string, std::string> rows_, details_;
};

TEST_F(CheckRun, ReportsProgramsThatAreMissing) {
  Run();
  for (const char* name : {"pg_dump", "pg_dumpall", "pg_restore"}) {
    EXPECT_EQ(rows_.at(name), "error");
    EXPECT_NE(details_.at(name).find(directory_.path()), std::string::npos) << details_.at(name);
  }
  EXPECT_EQ(rows_.at("connection"), "error");
}

TEST_F(CheckRun, ReportsProgramsThatAreTooOld) {
  for (const char* name : {"pg_dump", "pg_restore"}) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << "#!/bin/sh\necho '" << name << " (PostgreSQL) "
                        << (name == std::string("pg_dump") ? "14.3" : "16.1") << "'\n";
    chmod(path.c_str(), 0755);
  }
  Run();
  EXPECT_EQ(rows_.at("pg_dump"), "error");
  EXPECT_NE(details_.at("pg_dump").find("pg_dump 14.3 is older than the server"),
            std::string::npos);
  EXPECT_EQ(rows_.at("pg_restore"), "ok");
  EXPECT_NE(details_.at("pg_restore").find("version 16.1"), std::string::npos);
}

TEST_F(CheckRun, TriesADirectoryAndLeavesItAsItWas) {
  Run();
  for (const char* item : {"storage settings", "directory", "permissions", "fsync", "free space",
                           "put", "get", "range get", "list", "head", "conditional put", "delete"})
    EXPECT_EQ(rows_.at(item), "ok") << item << ": " << details_.at(item);
  EXPECT_FALSE(std::filesystem::exists(root()));
  std::filesystem::create_directory(root());
  chmod(root().c_str(), 0755);
  job_.needed_bytes = UINT64_MAX;
  Run();
  EXPECT_EQ(rows_.at("permissions"), "warning");
  EXPECT_EQ(rows_.at("free space"), "warning");
  EXPECT_TRUE(std::filesystem::is_empty(root()));
}

TEST_F(CheckRun, ReportsADirectoryThatCannotBe) {
  job_.storage.url = "file://" + directory_.path() + "/missing/root";
  Run();
  EXPECT_EQ(rows_.at("directory"), "error");
  EXPECT_EQ(rows_.at("permissions"), "skipped");
  EXPECT_EQ(rows_.at("delete"), "skipped");
}

TEST_F(CheckRun, DoesWithoutAStorage) {
  job_.storage.url.clear();
  Run();
  EXPECT_EQ(rows_.size(), 4u);
}

TEST_F(CheckRun, ReportsSettingsThatAreWrong) {
  job_.storage.url = "s3://bucket";
  job_.storage.s3.sse = "none";
  Run();
  EXPECT_EQ(rows_.at("storage settings"), "error");
  EXPECT_NE(details_.at("storage settings").find("pgbackup.s3_sse"), std::string::npos);
  EXPECT_EQ(rows_.size(), 5u);
}

class S3CheckRun : public CheckRun {
 protected:
  S3CheckRun() {
    job_.storage.url = "s3://bucket/p";
    settings_.endpoint = "http://store:9000";
  }
  FakeEnvironment fake_;
  FakeStore store_;
  S3Settings settings_;
  RunHarness s3_{fake_, [this](const Cancellation& cancellation) {
                   return std::make_unique<S3Storage>(
                       S3Location{"bucket", "p"}, settings_, S3Limits{},
                       std::make_unique<FakeTransport>(store_), fake_, cancellation);
                 }};
};

TEST_F(S3CheckRun, CleansUpAfterACancel) {
  store_.after = [this](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "POST" && request.Has("uploads")) s3_.cancellation.Cancel();
    return std::nullopt;
  };
  EXPECT_EQ(RunCheck(job_, s3_.context).state, RunState::kCancelled);
  EXPECT_EQ(store_.Count("POST", "uploads"), 1u);
  EXPECT_TRUE(store_.objects.empty());
  EXPECT_TRUE(store_.uploads.empty());
}

TEST_F(S3CheckRun, TriesDeletingOnceMoreAndSaysWhatIsLeft) {
  bool denied = true;
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "DELETE" && !request.Has("uploadId") && denied)
      return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  const auto status_of = [&](const std::string& item) {
    for (const boost::json::value& row : FieldOf(RunCheck(job_, s3_.context), "rows"))
      if (TextOf(row, "item") == item) return TextOf(row, "status");
    return std::string("none");
  };
  EXPECT_EQ(status_of("cleaning up"), "error");
  EXPECT_NE(s3_.log.find("could not remove s3://bucket/p/.pgbackup-check/"), std::string::npos);
  denied = false;
  EXPECT_EQ(status_of("cleaning up"), "none");
}

}  // namespace
}  // namespace pgbackup
