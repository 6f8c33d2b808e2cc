#include "core/aws/credentials_sts.h"

#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

class CredentialsSts : public CredentialsTest {
 protected:
  Credentials Assume(const std::string& region = "eu-central-1") {
    return StsClient(services_, region).AssumeRole(role_, as_, {});
  }

  AssumedRole role_{"arn:aws:iam::123456789012:role/backup", "me", "ext/1", "900"};
  Credentials as_{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "source-token", {}};
};

TEST_F(CredentialsSts, AssumesARoleAtTheRegionsEndpoint) {
  transport_.script = [](const AskedRequest&) {
    return Answer(200, CredentialsXml("AssumeRole", "ASIA1", "2023-11-14T23:13:20.5Z"));
  };
  const Credentials found = Assume();
  EXPECT_EQ(found.access_key_id, "ASIA1");
  EXPECT_EQ(found.secret_access_key, "secret-of-ASIA1");
  EXPECT_EQ(found.session_token, "token-of-ASIA1");
  EXPECT_EQ(found.expires, environment_.Now() + std::chrono::hours(1));
  ASSERT_EQ(transport_.seen.size(), 1u);
  const AskedRequest& request = transport_.seen[0];
  EXPECT_EQ(request.method + " " + request.url, "POST https://sts.eu-central-1.amazonaws.com/");
  EXPECT_EQ(request.body,
            "Action=AssumeRole&DurationSeconds=900&ExternalId=ext%2F1&"
            "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbackup&RoleSessionName=me&"
            "Version=2011-06-15");
  Assume("cn-north-1");
  EXPECT_EQ(transport_.seen[1].url, "https://sts.cn-north-1.amazonaws.com.cn/");
}

// The signature was computed by botocore's SigV4Auth for the same request.
TEST_F(CredentialsSts, SignsForTheServiceSts) {
  transport_.script = [](const AskedRequest&) {
    return Answer(200, CredentialsXml("AssumeRole", "ASIA1"));
  };
  Assume();
  EXPECT_EQ(transport_.seen[0].Header("x-amz-date"), "20231114T221320Z");
  EXPECT_EQ(transport_.seen[0].Header("x-amz-security-token"), "source-token");
  EXPECT_EQ(transport_.seen[0].Header("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/eu-central-1/sts/aws4_request,"
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"
            "Signature=ab1d0b1310508b1d7793f617c270a1cafc30880d1514c17d05bf44b4b02b195b");
}

TEST_F(CredentialsSts, HonoursTheEndpointOfTheEnvironment) {
  environment_.variables["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:8000/sts/";
  transport_.script = [](const AskedRequest&) {
    return Answer(200, CredentialsXml("AssumeRole", "ASIA1"));
  };
  Assume("no region of aws");
  EXPECT_EQ(transport_.seen[0].url, "http://127.0.0.1:8000/sts/");
  EXPECT_EQ(transport_.seen[0].Header("host"), "127.0.0.1:8000");
  for (const char* bad : {"sts.local", "https://", "http://a@b", "http://a?b", "ftp://a"}) {
    environment_.variables["AWS_ENDPOINT_URL_STS"] = bad;
    EXPECT_EQ(ErrorOf([&] { Assume(); }).kind(), ErrorKind::kInvalid) << bad;
  }
  environment_.variables.clear();
  EXPECT_EQ(ErrorOf([&] { Assume("evil.example/"); }).kind(), ErrorKind::kInvalid);
}

TEST_F(CredentialsSts, TriesAgainWhatMayPass) {
  int count = 0;
  transport_.script = [&](const AskedRequest&) {
    if (++count == 1) throw TransportError(TransportFailure::kConnect, "refused");
    if (count == 2) return Answer(503);
    if (count == 3)
      return Answer(400,
                    "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error>"
                    "</ErrorResponse>");
    return Answer(200, CredentialsXml("AssumeRole", "ASIA1"));
  };
  EXPECT_EQ(Assume().access_key_id, "ASIA1");
  transport_.script = [](const AskedRequest&) -> HttpResponse {
    throw TransportError(TransportFailure::kConnect, "refused");
  };
  const auto before = environment_.Now();
  const Error error = ErrorOf([&] { Assume(); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(error.message().find("sts.eu-central-1.amazonaws.com"), std::string::npos);
  EXPECT_LE(environment_.Now() - before, std::chrono::seconds(20));
}

TEST_F(CredentialsSts, ARefusalNamesTheRoleAndNoSecret) {
  transport_.script = [](const AskedRequest&) {
    return Answer(403,
                  "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"
                  "source-token may not</Message></Error></ErrorResponse>");
  };
  const Error error = ErrorOf([&] { Assume(); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.message().find(role_.arn), std::string::npos);
  EXPECT_NE(error.message().find("403 (AccessDenied)"), std::string::npos);
  EXPECT_NE(error.hint().find("sts:AssumeRole"), std::string::npos);
  EXPECT_EQ(AllOf(error).find("source-token"), std::string::npos);
  EXPECT_EQ(AllOf(error).find("wJalr"), std::string::npos);
  EXPECT_EQ(transport_.seen.size(), 1u);
}

TEST_F(CredentialsSts, AnAnswerWithoutCredentialsIsAnError) {
  for (const std::string& body :
       {std::string(), std::string("<html>Welcome</html>"), std::string("{}"),
        CredentialsXml("AssumeRole", "A", "soon"), CredentialsXml("AssumeRole", "A B")}) {
    transport_.script = [&](const AskedRequest&) { return Answer(200, body); };
    const Error error = ErrorOf([&] { Assume(); });
    EXPECT_EQ(AllOf(error).find("secret-of"), std::string::npos) << AllOf(error);
  }
}

TEST_F(CredentialsSts, ReadsTheWebIdentityTokenAnewEveryTime) {
  environment_.variables = {{"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"},
                            {"AWS_ROLE_SESSION_NAME", "pod-7"},
                            {"AWS_WEB_IDENTITY_TOKEN_FILE", Write("first.token\n", 0644)}};
  transport_.script = [](const AskedRequest&) {
    return Answer(200, CredentialsXml("AssumeRoleWithWebIdentity", "ASIA2"));
  };
  WebIdentityCredentials provider(services_, "us-west-2");
  EXPECT_EQ(provider.Load({})->session_token, "token-of-ASIA2");
  Write("second.token\n", 0644);
  provider.Load({});
  ASSERT_EQ(transport_.seen.size(), 2u);
  EXPECT_EQ(transport_.seen[0].url, "https://sts.us-west-2.amazonaws.com/");
  EXPECT_EQ(transport_.seen[0].body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpod&"
            "RoleSessionName=pod-7&Version=2011-06-15&WebIdentityToken=first.token");
  EXPECT_EQ(transport_.seen[0].Header("authorization"), "");
  EXPECT_NE(transport_.seen[1].body.find("WebIdentityToken=second.token"), std::string::npos);
}

TEST_F(CredentialsSts, AWebIdentityThatIsHalfSetUpIsAnError) {
  WebIdentityCredentials provider(services_, "us-west-2");
  EXPECT_FALSE(provider.Load({}));
  environment_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = directory_.path() + "/none";
  EXPECT_EQ(ErrorOf([&] { provider.Load({}); }).kind(), ErrorKind::kInvalid);
  environment_.variables["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  EXPECT_EQ(ErrorOf([&] { provider.Load({}); }).kind(), ErrorKind::kNotFound);
  Write("hush.token", 0644, "none");
  transport_.script = [](const AskedRequest&) {
    return Answer(400,
                  "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>hush.token"
                  "</Message></Error></ErrorResponse>");
  };
  const Error error = ErrorOf([&] { provider.Load({}); });
  EXPECT_NE(error.message().find("InvalidIdentityToken"), std::string::npos);
  EXPECT_EQ(AllOf(error).find("hush"), std::string::npos);
}

TEST_F(CredentialsSts, ACancelEndsTheTries) {
  Cancellation cancellation;
  transport_.script = [&](const AskedRequest&) -> HttpResponse {
    cancellation.Cancel();
    throw TransportError(TransportFailure::kCancelled, "cancelled");
  };
  EXPECT_EQ(
      ErrorOf([&] { StsClient(services_, "r").AssumeRole(role_, as_, {&cancellation}); }).kind(),
      ErrorKind::kCancelled);
  EXPECT_EQ(transport_.seen.size(), 1u);
}

}  // namespace
}  // namespace pgbackup
