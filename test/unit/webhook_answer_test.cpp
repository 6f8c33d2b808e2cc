#include "core/notify/webhook_answer.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

WebhookVerdict VerdictOn(WebhookFormat format, const std::string& body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = body;
  response.headers = {{"content-type", "text/html"}};  // as Slack sends its "ok"
  return JudgeAnswer(format, response);
}

TEST(WebhookAnswer, TheStatusDecidesWhereTheReceiverIsAnything) {
  for (const WebhookFormat format : {WebhookFormat::kJson, WebhookFormat::kTemplate})
    for (const char* body : {"", "<html>taken</html>", "{\"ok\": false}", "OK (not found)"})
      EXPECT_EQ(VerdictOn(format, body), WebhookVerdict::kTaken) << body;
  EXPECT_EQ(VerdictOn(WebhookFormat::kJson, "", 302), WebhookVerdict::kFailed);
  EXPECT_EQ(VerdictOn(WebhookFormat::kJson, "", 404), WebhookVerdict::kFailed);
  EXPECT_EQ(VerdictOn(WebhookFormat::kJson, "", 422), WebhookVerdict::kRefused);
}

TEST(WebhookAnswer, AnAnswerWithAReservationIsNoDeliveryToHealthchecks) {
  for (const char* body : {"OK (not found)", "(not found)\n", "\xEF\xBB\xBFok (rate limited)",
                           "  <!DOCTYPE html><title>Log in</title>", "<head></head>",
                           "Check not found", "{\"ok\":false,\"msg\":\"unknown\"}"})
    EXPECT_EQ(VerdictOn(WebhookFormat::kHealthchecks, body), WebhookVerdict::kFailed) << body;
  for (const char* body : {"", "OK", "ok\n", "Created", "Got it, thanks!", "{\"ok\":true}", "{"})
    EXPECT_EQ(VerdictOn(WebhookFormat::kHealthchecks, body), WebhookVerdict::kTaken) << body;
}

TEST(WebhookAnswer, AChatThatAnswersWithAPageHasNotTakenIt) {
  for (const WebhookFormat format : {WebhookFormat::kSlack, WebhookFormat::kMattermost,
                                     WebhookFormat::kDiscord, WebhookFormat::kTeams}) {
    EXPECT_EQ(VerdictOn(format, "<html>Log in</html>"), WebhookVerdict::kFailed);
    EXPECT_EQ(VerdictOn(format, "{\"success\":false}"), WebhookVerdict::kFailed);
    for (const char* body : {"", "ok", "1", "{\"success\":true}", "{\"name\": \"spaces/1\"}"})
      EXPECT_EQ(VerdictOn(format, body), WebhookVerdict::kTaken) << body;
  }
  const char* const teams = "Webhook message delivery failed with error: HTTP error 429";
  EXPECT_EQ(VerdictOn(WebhookFormat::kTeams, teams), WebhookVerdict::kFailed);
}

std::string WordsOf(const std::string& url, const std::string& body) {
  HttpResponse response;
  response.status = 404;
  response.body = body;
  return AnswerInWords(url, response);
}

TEST(WebhookAnswer, IsTold) {
  EXPECT_EQ(WordsOf("https://host/a", ""), "status 404");
  EXPECT_EQ(WordsOf("https://host/a", "no_service\n"), "status 404: \"no_service\"");
  EXPECT_EQ(WordsOf("https://host/a",
                    "a\x1b[31m\r\nb\xC2\x9B"
                    "c\xE2\x80\xAE"
                    "d"),
            "status 404: \"a [31m b c d\"");
  EXPECT_LT(WordsOf("https://host/a", std::string(100'000, 'x')).size(), 160u);
}

TEST(WebhookAnswer, IsNotToldWhenItRepeatsTheUrl) {
  const std::string url = "https://user:pass1@host.example/hook/S3cr3t?token=t0k3n";
  for (const char* body : {"Cannot POST /hook/s3cr3t", "<pre>no hook</pre> T0K3N", "user pass1"})
    EXPECT_EQ(WordsOf(url, body), "status 404") << body;
  EXPECT_EQ(WordsOf(url, "unknown at host.example"), "status 404: \"unknown at host.example\"");
}

}  // namespace
}  // namespace pgbackup
