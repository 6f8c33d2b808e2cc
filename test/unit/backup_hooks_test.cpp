#include "core/hooks/backup_hooks.h"

#include <algorithm>

#include "run_test_support.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

BackupJob SomeJob() {
  BackupJob job;
  job.id = 7;
  job.database = "shop";
  job.backup_type = "scheduled";
  job.schedule = "nightly";
  job.cluster.name = "main";
  job.cluster.environment = "test";
  job.storage.url = "s3://bucket/p?region=eu-west-1";
  job.file_name = "main/shop/backup_7";
  job.hooks.timeout_s = 60;
  return job;
}

class BackupHooksTest : public ::testing::Test {
 protected:
  BackupHooksTest() {
    environment_.variables = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/home/postgres"}};
  }

  // A command that runs a script with what a job's hook gets.
  static std::vector<std::string> Shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
  }
  std::string RunPost(const HookResult& result = {"completed", "", 1},
                      std::optional<std::chrono::milliseconds> most = std::nullopt) {
    return RunPostHooks(job_, result, harness_.context, &cancellation_, most);
  }

  FakeEnvironment environment_;
  RunHarness harness_{environment_, {}};
  Cancellation cancellation_;
  BackupJob job_ = SomeJob();
};

using Variables = std::vector<std::string>;

bool Holds(const Variables& variables, const std::string& one) {
  return std::find(variables.begin(), variables.end(), one) != variables.end();
}

bool Names(const Variables& variables, const std::string& name) {
  return std::any_of(variables.begin(), variables.end(), [&](const std::string& each) {
    return each.compare(0, name.size() + 1, name + "=") == 0;
  });
}

TEST_F(BackupHooksTest, TheEnvironmentIsAllThatDocsHooksSays) {
  environment_.variables["AWS_SECRET_ACCESS_KEY"] = "hush";
  const Variables before = HookEnvironment(job_, {}, environment_);
  EXPECT_EQ(before,
            (Variables{"PATH=/usr/bin:/bin", "LANG=C", "LC_ALL=C", "HOME=/home/postgres",
                       "PGBACKUP_PHASE=pre", "PGBACKUP_ID=7", "PGBACKUP_DATABASE=shop",
                       "PGBACKUP_TYPE=scheduled", "PGBACKUP_SCHEDULE=nightly",
                       "PGBACKUP_LABEL=", "PGBACKUP_CLUSTER=main", "PGBACKUP_ENVIRONMENT=test",
                       "PGBACKUP_STORAGE=s3://bucket/p", "PGBACKUP_FILE_NAME=main/shop/backup_7"}));
}

TEST_F(BackupHooksTest, AfterwardsItTellsHowTheRunEnded) {
  const Variables completed = HookEnvironment(job_, {"completed", "", 4096}, environment_);
  EXPECT_TRUE(Holds(completed, "PGBACKUP_PHASE=post"));
  EXPECT_TRUE(Holds(completed, "PGBACKUP_STATUS=completed"));
  EXPECT_TRUE(Holds(completed, "PGBACKUP_FILE_SIZE=4096"));
  const Variables failed = HookEnvironment(job_, {"failed", "no room", {}}, environment_);
  EXPECT_TRUE(Holds(failed, "PGBACKUP_STATUS=failed"));
  EXPECT_TRUE(Holds(failed, "PGBACKUP_MESSAGE=no room"));
  EXPECT_FALSE(Names(failed, "PGBACKUP_FILE_SIZE"));
}

TEST_F(BackupHooksTest, HoldsNothingThatAnEnvironmentCannot) {
  job_.label = std::string("a\0b", 3);
  const std::string message = std::string(3999, 'x') + "\xc3\xbc and more \xff";
  const Variables variables = HookEnvironment(job_, {"failed", message, {}}, environment_);
  EXPECT_TRUE(Holds(variables, "PGBACKUP_LABEL=ab"));
  EXPECT_TRUE(Holds(variables, "PGBACKUP_MESSAGE=" + std::string(3999, 'x')));
  EXPECT_TRUE(Holds(HookEnvironment(job_, {"failed", "a\xff", {}}, environment_),
                    "PGBACKUP_MESSAGE=a\xEF\xBF\xBD"));
}

TEST_F(BackupHooksTest, AFailingCommandBeforeFailsTheBackup) {
  job_.hooks.pre_command = Shell("echo one >&2; echo two of $PGBACKUP_DATABASE >&2; exit 3");
  const Error error = ErrorOf([&] { RunPreHooks(job_, harness_.context); });
  EXPECT_EQ(error.kind(), ErrorKind::kTool);
  EXPECT_EQ(error.message(), "pgbackup.pre_backup_command exited with status 3: two of shop");
  EXPECT_EQ(error.detail(), "one\ntwo of shop");
  EXPECT_NE(error.hint().find("docs/hooks.md"), std::string::npos);
}

TEST_F(BackupHooksTest, WhatFailsAfterwardsIsARemark) {
  job_.hooks.post_command = Shell("echo it broke >&2; exit 1");
  EXPECT_EQ(RunPost(), "pgbackup.post_backup_command exited with status 1: it broke");
  EXPECT_EQ(harness_.log, "it broke\n");
  job_.hooks.post_command = Shell("[ $PGBACKUP_STATUS = completed ]");
  EXPECT_EQ(RunPost(), "");
  job_.hooks.post_command = {};
  EXPECT_EQ(RunPost(), "");
}

TEST_F(BackupHooksTest, ACommandHasItsTimeAndNoMore) {
  job_.hooks.post_command = Shell("exec sleep 600");
  EXPECT_EQ(RunPost({"cancelled", "", {}}, std::chrono::milliseconds(50)),
            "pgbackup.post_backup_command took longer than 1 s");
}

TEST_F(BackupHooksTest, ACancelledRunEndsItsCommand) {
  job_.hooks.pre_command = Shell("exec sleep 600");
  harness_.cancellation.Cancel();
  EXPECT_EQ(ErrorOf([&] { RunPreHooks(job_, harness_.context); }).kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace pgbackup
