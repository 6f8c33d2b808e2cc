#include "core/notify/webhook_run.h"

#include <sys/stat.h>

#include <fstream>

#include "core/base/json.h"
#include "run_test_support.h"
#include "s3_local_server.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class WebhookRun : public ::testing::Test {
 protected:
  WebhookRun()
      : server_([this](const LocalServer::Request& request) {
          bodies_.push_back(request.body);
          const size_t blank = request.head.find(' ');
          const std::string path =
              request.head.substr(blank + 1, request.head.find(' ', blank + 1) - blank - 1);
          const auto status = statuses_.find(path);
          return LocalServer::Reply{
              LocalServer::Response(status == statuses_.end() ? 200 : status->second, "")};
        }) {
    job_.format = "json";
    job_.url_file = directory_.path() + "/urls";
    job_.notices = {{31, {{"kind", "backup"}, {"id", 7}, {"status", "failed"}}, {}},
                    {32, {{"kind", "backup"}, {"id", 8}, {"status", "failed"}}, {}}};
  }

  void WriteUrls(const std::vector<std::string>& paths, mode_t mode = 0600) {
    std::ofstream file(job_.url_file);
    for (const std::string& path : paths) file << server_.origin() << path << "\n";
    file.close();
    chmod(job_.url_file.c_str(), mode);
  }

  // What became of a notice, as the catalog learns it.
  struct Settled {
    bool done;
    size_t reached;
  };
  std::vector<Settled> Run() {
    const RunOutcome outcome = RunWebhook(job_, harness_.context);
    std::vector<Settled> all;
    failure_ = outcome.fields.contains("failure") && outcome.fields.at("failure").is_string()
                   ? std::string(outcome.fields.at("failure").as_string())
                   : "";
    size_t i = 0;
    for (const auto& notice : FieldOf(outcome, "notices")) {
      const auto& reached = notice.at("reached").as_array();
      EXPECT_EQ(notice.at("id"), job_.notices[i].id);
      job_.notices[i].reached.clear();
      for (const auto& mark : reached) job_.notices[i].reached.emplace_back(mark.as_string());
      all.push_back({notice.at("done").as_bool(), reached.size()});
      ++i;
    }
    return all;
  }

  TemporaryDirectory directory_;
  std::map<std::string, int> statuses_;  // of the answers, by path; 200 for others
  std::vector<std::string> bodies_;
  std::string failure_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  RunHarness harness_{*environment_, {}};
  WebhookJob job_;
  LocalServer server_;  // last: its threads use what is above
};

TEST_F(WebhookRun, TellsEveryUrlOfEveryNotice) {
  WriteUrls({"/a", "/b"});
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 2u);
  for (const Settled& each : settled) EXPECT_TRUE(each.done && each.reached == 2);
  EXPECT_EQ(failure_, "");
  EXPECT_EQ(bodies_.size(), 4u);
  EXPECT_EQ(ParseJsonObject(bodies_[1], "the body").at("id"), 8);
}

TEST_F(WebhookRun, TellsNobodyTwiceWhenItTriesAgain) {
  WriteUrls({"/a", "/b"});
  statuses_["/b"] = 503;
  auto settled = Run();
  for (const Settled& each : settled) EXPECT_TRUE(!each.done && each.reached == 1);
  EXPECT_EQ(failure_, server_.origin() + " answered with status 503");
  EXPECT_EQ(bodies_.size(), 3u) << "the second notice waits for the first";
  statuses_.clear();
  settled = Run();
  for (const Settled& each : settled) EXPECT_TRUE(each.done && each.reached == 2);
  EXPECT_EQ(bodies_.size(), 5u);
  for (const RunNotice& notice : job_.notices)
    for (const std::string& mark : notice.reached)
      EXPECT_EQ(mark.find(server_.origin()), std::string::npos) << "a mark tells no URL";
}

TEST_F(WebhookRun, WhatIsRefusedForGoodIsNotSentAgain) {
  WriteUrls({"/a"});
  statuses_["/a"] = 400;
  for (const Settled& each : Run()) EXPECT_TRUE(each.done);
  EXPECT_EQ(failure_, "");
  EXPECT_NE(harness_.log.find("answered with status 400, so it is not told that backup 7 failed"),
            std::string::npos)
      << harness_.log;
}

TEST_F(WebhookRun, ANoticeThatCannotBeWrittenIsDroppedAndKeepsNoneWaiting) {
  WriteUrls({"/a"});
  job_.notices[0].event = {{"kind", "backup"}, {"id", "seven"}, {"status", "failed"}};
  job_.notices.push_back({33, {{"kind", 1}}, {}});
  for (const Settled& each : Run()) EXPECT_TRUE(each.done);
  EXPECT_EQ(failure_, "");
  ASSERT_EQ(bodies_.size(), 1u);
  EXPECT_EQ(ParseJsonObject(bodies_[0], "the body").at("id"), 8);
  EXPECT_NE(harness_.log.find("notification 31 is dropped: "), std::string::npos) << harness_.log;
  EXPECT_NE(harness_.log.find("notification 33 is dropped: "), std::string::npos) << harness_.log;
}

TEST_F(WebhookRun, AMissingTemplateDropsNothing) {
  WriteUrls({"/a"});
  job_.format = "template";
  for (const Settled& each : Run()) EXPECT_FALSE(each.done);
  EXPECT_NE(failure_.find("pgbackup.webhook_template is empty"), std::string::npos) << failure_;
}

TEST_F(WebhookRun, AFileThatCannotBeReadIsAFailureOfAllAndNotOfTheJob) {
  for (const Settled& each : Run()) EXPECT_TRUE(!each.done && each.reached == 0);
  EXPECT_NE(failure_.find("could not read the URLs in"), std::string::npos) << failure_;
  WriteUrls({"/a"}, 0644);
  for (const Settled& each : Run()) EXPECT_TRUE(!each.done && each.reached == 0);
  EXPECT_NE(failure_.find("could not read the URLs in"), std::string::npos) << failure_;
  EXPECT_TRUE(bodies_.empty());
}

TEST_F(WebhookRun, ACancelledOneSaysSo) {
  WriteUrls({"/a"});
  harness_.cancellation.Cancel();
  EXPECT_EQ(RunWebhook(job_, harness_.context).state, RunState::kCancelled);
}

}  // namespace
}  // namespace pgbackup
