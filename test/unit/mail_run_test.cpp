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
  job.notices = {{31, {{"kind", "backup"}, {"id", "seven"}, {"status", "failed"}}, {}},
                 {32, {{"kind", "backup"}, {"id", 8}, {"status", "failed"}}, {}}};
  const std::unique_ptr<Environment> environment = SystemEnvironment();
  RunHarness harness(*environment, {});
  const RunOutcome outcome = RunMail(job, harness.context);
  const auto& settled = outcome.fields.at("notices").as_array();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].at("id"), 31);
  EXPECT_TRUE(settled[0].at("done").as_bool());
  EXPECT_NE(harness.log.find("notification 31 is dropped: "), std::string::npos) << harness.log;
  EXPECT_TRUE(outcome.fields.at("failure").is_string()) << "nothing listens there";
}

}  // namespace
}  // namespace pgbackup
