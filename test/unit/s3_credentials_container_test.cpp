#include "core/aws/credentials_container.h"

#include "core/http/curl_transport.h"
#include "s3_credentials_test_support.h"
#include "s3_local_server.h"

namespace pgbackup {
namespace {

class CredentialsContainer : public CredentialsTest {
 protected:
  ContainerCredentials provider_{services_};
};

TEST_F(CredentialsContainer, AreAskedOfTheEcsAgentByPath) {
  EXPECT_FALSE(provider_.Load({}));
  environment_.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/7?a=b";
  transport_.script = [](const AskedRequest&) { return Answer(200, CredentialsJson("ASIA3")); };
  const auto found = provider_.Load({});
  EXPECT_EQ(found->access_key_id, "ASIA3");
  EXPECT_EQ(found->session_token, "token-of-ASIA3");
  EXPECT_EQ(found->expires, environment_.Now() + std::chrono::hours(1));
  EXPECT_EQ(transport_.seen[0].url, "http://169.254.170.2/v2/credentials/7?a=b");
  EXPECT_TRUE(transport_.seen[0].no_proxy);
  EXPECT_EQ(transport_.seen[0].Header("authorization"), "");
  environment_.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example/";
  EXPECT_EQ(ErrorOf([&] { provider_.Load({}); }).kind(), ErrorKind::kInvalid);
}

TEST_F(CredentialsContainer, OnlySafeEndpointsAreAsked) {
  for (const char* safe :
       {"https://anywhere.example/x", "https://10.0.0.1:8443", "http://localhost:9400/x",
        "http://127.0.0.1/", "http://127.8.8.8:80", "http://[::1]:9400/x", "http://169.254.170.2/x",
        "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials",
        "http://[fd00:0ec2:0:0:0:0:0:23]:80/v1"})
    EXPECT_TRUE(IsSafeContainerUrl(safe)) << safe;
  for (const char* unsafe :
       {"http://evil.example/", "http://169.254.169.254/", "http://10.0.0.1/",
        "http://127.0.0.1@evil.example/", "http://127.0.0.1#@evil.example/",
        "http://127.0.0.1\\@evil.example/", "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/", "http://[::1]evil.example/", "http://[fd00:ec2::24]/",
        "http://[::1", "http://", "https://", "http:///x", "ftp://127.0.0.1/", "127.0.0.1",
        "http://127.0.0.1/\r\nx: y"})
    EXPECT_FALSE(IsSafeContainerUrl(unsafe)) << unsafe;
  environment_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://evil.example/";
  EXPECT_EQ(ErrorOf([&] { provider_.Load({}); }).kind(), ErrorKind::kDenied);
  EXPECT_EQ(transport_.seen.size(), 0u);
}

TEST_F(CredentialsContainer, SendTheTokenOfTheFileAndReadItAnew) {
  environment_.variables = {
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic of the variable"}};
  transport_.script = [](const AskedRequest&) { return Answer(200, CredentialsJson("ASIA3")); };
  provider_.Load({});
  environment_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = Write("first\n", 0644);
  provider_.Load({});
  Write("second\n", 0644);
  provider_.Load({});
  EXPECT_EQ(transport_.seen[0].Header("authorization"), "Basic of the variable");
  EXPECT_EQ(transport_.seen[1].Header("authorization"), "first");
  EXPECT_EQ(transport_.seen[2].Header("authorization"), "second");
  environment_.variables.erase("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  environment_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "hush\r\nx: y";
  const Error error = ErrorOf([&] { provider_.Load({}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(AllOf(error).find("hush"), std::string::npos);
}

TEST_F(CredentialsContainer, RefusalsAndNonsenseAreErrorsWithoutSecrets) {
  environment_.variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/c"},
                            {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-token"}};
  const auto answer = [&](int status, const std::string& body) {
    transport_.script = [=](const AskedRequest&) { return Answer(status, body); };
    const Error error = ErrorOf([&] { provider_.Load({}); });
    EXPECT_EQ(AllOf(error).find("hush"), std::string::npos) << AllOf(error);
    EXPECT_NE(error.message().find("container credentials endpoint"), std::string::npos);
    return error.kind();
  };
  EXPECT_EQ(answer(401, R"({"code": "hush-token", "message": "hush-token"})"), ErrorKind::kDenied);
  EXPECT_EQ(answer(500, "hush"), ErrorKind::kUnavailable);
  EXPECT_EQ(answer(200, "hush"), ErrorKind::kInvalid);
  EXPECT_EQ(answer(200, R"({"AccessKeyId": "hush"})"), ErrorKind::kInvalid);
  EXPECT_EQ(answer(200, R"({"AccessKeyId": "a", "SecretAccessKey": "hush", "Expiration": "hush"})"),
            ErrorKind::kInvalid);
}

TEST_F(CredentialsContainer, ComeFromARealServer) {
  std::string head;
  LocalServer server([&](const LocalServer::Request& request) {
    head = request.head;
    return LocalServer::Reply{LocalServer::Response(200, CredentialsJson("ASIA3"))};
  });
  environment_.variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.origin() + "/role?x"},
                            {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-token"}};
  CurlTransport curl;
  ContainerCredentials provider({curl, environment_});
  EXPECT_EQ(provider.Load({})->secret_access_key, "secret-of-ASIA3");
  EXPECT_EQ(head.rfind("GET /role?x HTTP/1.1\r\n", 0), 0u) << head;
  EXPECT_NE(head.find("authorization: the-token\r\n"), std::string::npos) << head;
}

}  // namespace
}  // namespace pgbackup
