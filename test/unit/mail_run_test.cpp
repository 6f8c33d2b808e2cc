#include "core/notify/mail_run.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "run_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

TEST(MailRun, ANoticeThatCannotBeWrittenIsDroppedAndTheNextOneIsTried) {
  const TemporaryDirectory directory;
  MailJob job;
  job.smtp_file = directory.path() + "/smtp";
  std::ofstream(job.smtp_file) << "url = smtp://127.0.0.1:1\nfrom = a@example.com\ntls = off\n";
  chmod(job.smtp_file.c_str(), 0600);
  job.recipients = {"b@example.com"};
  job.notices = {
      {31, {{"kind", "backup"}, {"id", "seven"}, {"status", "failed"}}, {"b@example.com"}},
      {32, {{"kind", "backup"}, {"id", 8}, {"status", "failed"}}, {"b@example.com"}}};
  const std::unique_ptr<Environment> environment = SystemEnvironment();
  RunHarness harness(*environment, {});
  const RunOutcome outcome = RunMail(job, harness.context);
  const auto& dropped = outcome.fields.at("dropped").as_array();
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].at("id"), 31);
  const auto& targets = outcome.fields.at("targets").as_array();
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].at("target"), "b@example.com");
  EXPECT_TRUE(targets[0].at("told").as_array().empty());
  EXPECT_TRUE(outcome.fields.at("failure").is_string()) << "nothing listens there";
}

}  // namespace
}  // namespace pgbackup
