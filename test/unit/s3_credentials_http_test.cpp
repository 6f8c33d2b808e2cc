#include "core/aws/credentials_http.h"

#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

long long Seconds(std::string_view text) {
  const auto time = ParseIsoTime(text);
  return time ? std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count()
              : -1;
}

TEST(CredentialsHttp, ReadsTimesOfEveryKindInUse) {
  EXPECT_EQ(Seconds("2023-11-14T22:13:20Z"), 1'700'000'000);
  EXPECT_EQ(Seconds("2023-11-14T22:13:20.999Z"), 1'700'000'000);
  EXPECT_EQ(Seconds("2023-11-15T00:13:20+02:00"), 1'700'000'000);
  EXPECT_EQ(Seconds("2023-11-14T16:43:20-0530"), 1'700'000'000);
  EXPECT_EQ(Seconds("9999-12-31T23:59:59Z"), 9'200'000'000);
  EXPECT_EQ(Seconds("9999-12-31T23:59:59-07:00"), 9'200'000'000);
  for (const char* bad : {"", "soon", "2023-11-14", "2023-11-14 22:13:20Z", "2023-13-14T22:13:20Z",
                          "2023-11-14T22:13:20", "2023-11-14T22:13:20ZZ", "2023-11-14T22:13:20+02",
                          "-023-11-14T22", "2023-11-14T22:13:20-07-0"})
    EXPECT_EQ(Seconds(bad), -1) << bad;
}

TEST(CredentialsHttp, RepeatsACodeOnlyWhenItIsAWord) {
  const auto words = [](const std::string& body) { return AnswerInWords(Answer(400, body)); };
  EXPECT_EQ(words("<E><Error><Code>AccessDenied</Code></Error></E>"),
            "HTTP status 400 (AccessDenied)");
  EXPECT_EQ(words(R"({"code": "InvalidToken"})"), "HTTP status 400 (InvalidToken)");
  for (const std::string& body :
       {std::string(), std::string("nonsense"), std::string("<Code>ey.J9 secret</Code>"),
        "<Code>" + std::string(100, 'x') + "</Code>", std::string(R"({"code": 7})")})
    EXPECT_EQ(words(body), "HTTP status 400") << body;
}

class CredentialsHttpTest : public CredentialsTest {};

TEST_F(CredentialsHttpTest, WaitsForRetryAfterButNotForEver) {
  int count = 0;
  transport_.script = [&](const AskedRequest&) {
    return ++count == 1 ? Answer(429, "", {{"retry-after", "3"}}) : Answer(200, "x");
  };
  const CredentialsPatience patience{std::chrono::seconds(1), std::chrono::seconds(10)};
  EXPECT_EQ(AskPatiently(services_, {}, patience, {}).body, "x");
  EXPECT_GE(environment_.slept(), std::chrono::seconds(3));
  transport_.script = [](const AskedRequest&) { return Answer(429, "", {{"retry-after", "60"}}); };
  EXPECT_EQ(AskPatiently(services_, {}, patience, {}).status, 429);
  EXPECT_LT(environment_.slept(), std::chrono::seconds(14));
}

TEST_F(CredentialsHttpTest, DoesNotRepeatWhatWillNotPass) {
  const CredentialsPatience patience{std::chrono::seconds(1), std::chrono::seconds(10)};
  transport_.script = [](const AskedRequest&) -> HttpResponse {
    throw TransportError(TransportFailure::kTls, "self-signed");
  };
  EXPECT_THROW(AskPatiently(services_, {}, patience, {}), TransportError);
  transport_.script = [](const AskedRequest&) { return Answer(403); };
  EXPECT_EQ(AskPatiently(services_, {}, patience, {}).status, 403);
  EXPECT_EQ(transport_.seen.size(), 2u);
}

}  // namespace
}  // namespace pgbackup
