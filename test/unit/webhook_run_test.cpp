#include "core/notify/webhook_run.h"

#include <sys/stat.h>

#include <fstream>
#include <mutex>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "run_test_support.h"
#include "s3_local_server.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class WebhookRun : public ::testing::Test {
 protected:
  WebhookRun()
      : server_([this](const LocalServer::Request& request) {
          const size_t blank = request.head.find(' ');
          const std::string path =
              request.head.substr(blank + 1, request.head.find(' ', blank + 1) - blank - 1);
          const std::lock_guard lock(mutex_);
          bodies_.emplace_back(path, request.body);
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

  static std::string MarkOf(const std::string& url) { return ToHex(Sha256::Of(url)).substr(0, 16); }
  // Has all notices sent to these.
  void Address(const std::vector<std::string>& paths) {
    for (RunNotice& notice : job_.notices)
      for (const std::string& path : paths)
        notice.targets.push_back(MarkOf(server_.origin() + path));
  }
  // A URL in the outcome, as the catalog learns it.
  struct Settled {
    std::string target, name, told, refused, failure, refusal;
  };
  std::vector<Settled> Run() {
    const RunOutcome outcome = RunWebhook(job_, harness_.context);
    const auto text = [](const boost::json::value& value) {
      return value.is_string() ? std::string(value.as_string()) : "";
    };
    failure_ = outcome.fields.contains("failure") ? text(outcome.fields.at("failure")) : "";
    dropped_ = boost::json::serialize(FieldOf(outcome, "dropped"));
    std::vector<Settled> all;
    for (const auto& target : FieldOf(outcome, "targets"))
      all.push_back({text(target.at("target")), text(target.at("name")),
                     boost::json::serialize(target.at("told")),
                     boost::json::serialize(target.at("refused")), text(target.at("failure")),
                     text(target.at("refusal"))});
    return all;
  }
  // The requests to a path, which several URLs at once may have mixed.
  std::vector<std::string> BodiesTo(const std::string& path) {
    std::vector<std::string> bodies;
    for (const auto& [to, body] : bodies_)
      if (to == path) bodies.push_back(body);
    return bodies;
  }

  TemporaryDirectory directory_;
  std::map<std::string, int> statuses_;  // of the answers, by path; 200 for others
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> bodies_;  // with their paths
  std::string failure_, dropped_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  RunHarness harness_{*environment_, {}};
  WebhookJob job_;
  LocalServer server_;  // last: its threads use what is above
};

TEST_F(WebhookRun, TellsEveryUrlWhatIsForItInOrder) {
  WriteUrls({"/a", "/b"});
  Address({"/a", "/b"});
  job_.notices.push_back({33, job_.notices[0].event, {MarkOf(server_.origin() + "/b")}});
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 2u);
  EXPECT_EQ(settled[0].told, "[31,32]");
  EXPECT_EQ(settled[1].told, "[31,32,33]");
  EXPECT_EQ(failure_, "");
  ASSERT_EQ(BodiesTo("/a").size(), 2u);
  EXPECT_EQ(ParseJsonObject(BodiesTo("/a")[1], "the body").at("id"), 8);
}

TEST_F(WebhookRun, OneThatFailsHoldsBackItsOwnNoticesAlone) {
  WriteUrls({"/a", "/b"});
  Address({"/a", "/b"});
  statuses_["/a"] = 503;
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 2u);
  EXPECT_EQ(settled[0].told, "[]");
  EXPECT_EQ(settled[0].failure, server_.origin() + " (URL 1) answered with status 503");
  EXPECT_EQ(settled[1].told, "[31,32]");
  EXPECT_EQ(settled[1].failure, "");
  EXPECT_EQ(failure_, "") << "the rest works";
  EXPECT_EQ(BodiesTo("/a").size(), 1u) << "the second notice waits for the first";
}

TEST_F(WebhookRun, NamesUrlsThatItHasNothingFor) {
  WriteUrls({"/a", "/b", "/a"});
  job_.notices.clear();
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 2u) << "each once";
  EXPECT_EQ(settled[0].target, MarkOf(server_.origin() + "/a"));
  EXPECT_EQ(settled[1].name, server_.origin() + " (URL 2)");
  EXPECT_TRUE(bodies_.empty());
}

TEST_F(WebhookRun, WhatIsRefusedForGoodIsNotSentAgain) {
  WriteUrls({"/a"});
  Address({"/a"});
  statuses_["/a"] = 400;
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].refused, "[31,32]");
  EXPECT_EQ(settled[0].refusal, server_.origin() + " answered with status 400");
  EXPECT_EQ(settled[0].failure, "");
}

TEST_F(WebhookRun, ANoticeThatCannotBeWrittenIsDroppedAndKeepsNoneWaiting) {
  WriteUrls({"/a"});
  job_.notices[0].event = {{"kind", "backup"}, {"id", "seven"}, {"status", "failed"}};
  job_.notices.push_back({33, {{"kind", 1}}, {}});
  Address({"/a"});
  const auto settled = Run();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].told, "[32]");
  EXPECT_NE(dropped_.find("\"id\":31"), std::string::npos) << dropped_;
  EXPECT_NE(dropped_.find("\"id\":33"), std::string::npos) << dropped_;
  ASSERT_EQ(bodies_.size(), 1u);
  EXPECT_EQ(ParseJsonObject(BodiesTo("/a")[0], "the body").at("id"), 8);
}

TEST_F(WebhookRun, AMissingTemplateDropsNothing) {
  WriteUrls({"/a"});
  Address({"/a"});
  job_.format = "template";
  EXPECT_TRUE(Run().empty());
  EXPECT_EQ(dropped_, "[]");
  EXPECT_NE(failure_.find("pgbackup.webhook_template is empty"), std::string::npos) << failure_;
}

TEST_F(WebhookRun, AFileThatCannotBeReadIsAFailureOfAllAndNotOfTheJob) {
  EXPECT_TRUE(Run().empty());
  EXPECT_NE(failure_.find("could not read the URLs in"), std::string::npos) << failure_;
  WriteUrls({"/a"}, 0644);
  EXPECT_TRUE(Run().empty());
  EXPECT_NE(failure_.find("could not read the URLs in"), std::string::npos) << failure_;
  EXPECT_TRUE(bodies_.empty());
}

TEST_F(WebhookRun, ACancelledOneSaysSo) {
  WriteUrls({"/a"});
  Address({"/a"});
  harness_.cancellation.Cancel();
  EXPECT_EQ(RunWebhook(job_, harness_.context).state, RunState::kCancelled);
}

}  // namespace
}  // namespace pgbackup
