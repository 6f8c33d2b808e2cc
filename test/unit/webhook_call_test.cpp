#include "core/notify/webhook_call.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/json.h"

namespace pgbackup {
namespace {

constexpr const char* kHookUrl = "https://user:pw@host.example:8443/path/key?x=1";

RunEvent EventOf(const std::string& kind, const std::string& status,
                 const std::string& message = "it <broke> & \"hurts\" @all\nü") {
  return ReadRunEvent({{"kind", kind},
                       {"status", status},
                       {"id", 12},
                       {"backup_id", 7},
                       {"database", "a{id}\"<!here>"},
                       {"cluster", "main"},
                       {"message", message},
                       {"hint", "mend it"},
                       {"file_size", 2048},
                       {"seconds", 61}});
}

boost::json::object BodyOf(WebhookFormat format, const RunEvent& event,
                           std::string_view body_template = {}) {
  const auto call = MakeWebhookCall(format, kHookUrl, body_template, event);
  EXPECT_TRUE(call);
  EXPECT_EQ(call->url, kHookUrl);
  EXPECT_EQ(call->content_type, "application/json");
  return ParseJsonObject(call->body, "the body");
}

const std::string kFailureText =
    "backup 12 of database \"a{id}\"<!here>\" on main failed\nit <broke> & \"hurts\" @all\nü\n"
    "Hint: mend it\nDuration: 61 s";

TEST(WebhookCall, ReadsAsSentences) {
  EXPECT_EQ(EventText(EventOf("backup", "failed")), kFailureText);
  EXPECT_EQ(Headline(EventOf("copy", "failed")),
            "copy 12 of backup 7 of database \"a{id}\"<!here>\" on main failed");
  EXPECT_EQ(Headline(ReadRunEvent({{"kind", "restore"},
                                   {"mode", "verify"},
                                   {"id", 3},
                                   {"status", "cancelled"},
                                   {"environment", "test"},
                                   {"cluster", "c"}})),
            "verification 3 on c (test) was cancelled");
  EXPECT_EQ(EventText(ReadRunEvent(
                {{"kind", "backup"}, {"id", 1}, {"status", "completed"}, {"file_size", 2048}})),
            "backup 1 completed\nSize: 2048 bytes");
}

TEST(WebhookCall, SendsTheEventItselfAsJson) {
  const auto body = BodyOf(WebhookFormat::kJson, EventOf("backup", "failed"));
  EXPECT_EQ(body.at("id"), 12);
  EXPECT_EQ(body.at("database"), "a{id}\"<!here>");
  EXPECT_EQ(body.at("text").as_string(), kFailureText);
}

TEST(WebhookCall, LetsNobodyBeCalledByAName) {
  const RunEvent event = EventOf("backup", "failed");
  const std::string slack(BodyOf(WebhookFormat::kSlack, event).at("text").as_string());
  EXPECT_NE(slack.find("&lt;!here&gt;"), std::string::npos);
  EXPECT_NE(slack.find("it &lt;broke&gt; &amp; \"hurts\""), std::string::npos);
  const std::string mattermost(BodyOf(WebhookFormat::kMattermost, event).at("text").as_string());
  EXPECT_EQ(mattermost.find("@all"), std::string::npos);
  const auto discord = BodyOf(WebhookFormat::kDiscord, event);
  EXPECT_EQ(discord.at("content").as_string(), kFailureText);
  EXPECT_TRUE(discord.at("allowed_mentions").at("parse").as_array().empty());
  const auto teams = BodyOf(WebhookFormat::kTeams, event);
  const auto& card = teams.at("attachments").at(0).at("content");
  EXPECT_EQ(card.at("body").at(0).at("type"), "RichTextBlock");
  EXPECT_EQ(card.at("body").at(0).at("inlines").at(0).at("text").as_string(), kFailureText);
}

TEST(WebhookCall, CutsWhatAChatWouldRefuse) {
  const RunEvent event = EventOf("backup", "failed", std::string(4999, 'x') + "ü");
  const auto body = BodyOf(WebhookFormat::kDiscord, event);
  EXPECT_EQ(body.at("content").as_string().size(), 1900u);
}

TEST(WebhookCall, FillsATemplateWithEscapedValues) {
  const RunEvent event = EventOf("backup", "failed", "a \"b\" \\ {id}\n");
  const auto body =
      BodyOf(WebhookFormat::kTemplate, event,
             R"({"s":"{headline}","m":"{message}","n":{id},"l":"{label}","o":{"x":1}})");
  EXPECT_EQ(body.at("s").as_string(), "backup 12 of database \"a{id}\"<!here>\" on main failed");
  EXPECT_EQ(body.at("m").as_string(), "a \"b\" \\ {id}\n");
  EXPECT_EQ(body.at("n"), 12);
  EXPECT_EQ(body.at("l"), "");
  EXPECT_EQ(body.at("o").at("x"), 1);
  EXPECT_EQ(FillTemplate("{unknown} {id {} }{kind}{", event), "{unknown} {id {} }backup{");
  EXPECT_THROW(CheckWebhookTemplate(WebhookFormat::kTemplate, ""), Error);
}

TEST(WebhookCall, PingsHealthchecksAtTheUrlOfTheState) {
  const struct {
    const char *url, *status, *called;
  } cases[] = {{"https://hc.example/u", "in_progress", "https://hc.example/u/start"},
               {"https://hc.example/u", "completed", "https://hc.example/u"},
               {"https://hc.example/u/", "completed", "https://hc.example/u/"},
               {"https://hc.example/u/", "failed", "https://hc.example/u/fail"},
               {"https://hc.example/u?rid=1", "cancelled", "https://hc.example/u/fail?rid=1"}};
  for (const auto& each : cases) {
    const auto call =
        MakeWebhookCall(WebhookFormat::kHealthchecks, each.url, "", EventOf("backup", each.status));
    ASSERT_TRUE(call);
    EXPECT_EQ(call->url, each.called);
    EXPECT_EQ(call->body, EventText(EventOf("backup", each.status)));
  }
  EXPECT_FALSE(MakeWebhookCall(WebhookFormat::kHealthchecks, "https://x/", "",
                               EventOf("restore", "failed")));
}

TEST(WebhookCall, TellsOthersOfNoStart) {
  EXPECT_FALSE(
      MakeWebhookCall(WebhookFormat::kSlack, kHookUrl, "", EventOf("backup", "in_progress")));
}

TEST(WebhookCall, ReadsUrlsLineByLine) {
  EXPECT_EQ(ParseWebhookUrls("# c\r\n\n  https://a/b#c \nhttp://x", "f"),
            (std::vector<std::string>{"https://a/b#c", "http://x"}));
  for (const char* bad : {"", "# only\n", "ftp://secret", "secret", "https://", "https:///secret",
                          "https://a b/secret", "http://x\nhttps://\x01secret", "https://ü/secret"})
    try {
      ParseWebhookUrls(bad, "/f");
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_EQ((error.message() + error.detail() + error.hint()).find("secret"),
                std::string::npos);
    }
}

TEST(WebhookCall, TellsOnlyTheHostOfAUrl) {
  EXPECT_EQ(WebhookOrigin(kHookUrl), "https://host.example:8443");
  EXPECT_EQ(WebhookOrigin("http://h?token=a@b"), "http://h");
  EXPECT_EQ(WebhookOrigin("http://h/a@b"), "http://h");
}

TEST(WebhookCall, KnowsItsFormats) {
  EXPECT_EQ(ParseWebhookFormat("teams"), WebhookFormat::kTeams);
  EXPECT_EQ(ParseWebhookFormat("template"), WebhookFormat::kTemplate);
  EXPECT_THROW(ParseWebhookFormat("irc"), Error);
}

}  // namespace
}  // namespace pgbackup
