#include "core/aws/credentials_imds.h"

#include "core/http/curl_transport.h"
#include "s3_credentials_test_support.h"
#include "s3_local_server.h"

namespace pgbackup {
namespace {

class CredentialsImds : public CredentialsTest {
 protected:
  // An instance with the role "the role".
  static HttpResponse Instance(const AskedRequest& request) {
    const std::string path = request.url.substr(request.url.find('/', 8));
    if (request.method == "PUT" && path == "/latest/api/token" &&
        request.Header("x-aws-ec2-metadata-token-ttl-seconds") == "300")
      return Answer(200, "the-token");
    if (request.Header("x-aws-ec2-metadata-token") != "the-token") return Answer(401);
    if (path == "/latest/meta-data/iam/security-credentials/") return Answer(200, "the role\n");
    if (path == "/latest/meta-data/iam/security-credentials/the%20role")
      return Answer(200, CredentialsJson("ASIA4", R"(, "Code": "Success")"));
    return Answer(404);
  }

  InstanceCredentials provider_{services_};
};

TEST_F(CredentialsImds, AreAskedWithATokenAndPastAnyProxy) {
  transport_.script = Instance;
  const auto found = provider_.Load({});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA4");
  EXPECT_EQ(found->session_token, "token-of-ASIA4");
  EXPECT_EQ(found->expires, environment_.Now() + std::chrono::hours(1));
  ASSERT_EQ(transport_.seen.size(), 3u);
  EXPECT_EQ(transport_.seen[0].url, "http://169.254.169.254/latest/api/token");
  for (const AskedRequest& request : transport_.seen) {
    EXPECT_TRUE(request.no_proxy);
    EXPECT_EQ(request.timeout, std::chrono::seconds(1));
  }
}

TEST_F(CredentialsImds, OutsideOfAwsThereAreNoneAfterOneShortTry) {
  transport_.script = [](const AskedRequest&) -> HttpResponse {
    throw TransportError(TransportFailure::kConnect, "no route");
  };
  EXPECT_FALSE(provider_.Load({}));
  EXPECT_EQ(transport_.seen.size(), 1u);
  EXPECT_NE(provider_.Absence().find("169.254.169.254"), std::string::npos);
  for (const int status : {400, 403, 404, 405, 503}) {
    transport_.seen.clear();
    transport_.script = [=](const AskedRequest&) { return Answer(status, "no"); };
    EXPECT_FALSE(provider_.Load({})) << status;
    EXPECT_EQ(transport_.seen.size(), 1u);
    EXPECT_NE(provider_.Absence().find(std::to_string(status)), std::string::npos);
  }
  transport_.script = [](const AskedRequest&) { return Answer(200, "<html> log in </html>"); };
  EXPECT_FALSE(provider_.Load({}));
}

TEST_F(CredentialsImds, AServiceThatIsKnownIsAskedAgainAndItsSilenceIsAnError) {
  transport_.script = Instance;
  ASSERT_TRUE(provider_.Load({}));
  int failures = 2;
  transport_.script = [&](const AskedRequest& request) {
    if (failures-- > 0) throw TransportError(TransportFailure::kStalled, "no byte moved");
    return Instance(request);
  };
  EXPECT_TRUE(provider_.Load({}));
  failures = 1'000'000;
  const Error error = ErrorOf([&] { provider_.Load({}); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(error.message().find("instance metadata service"), std::string::npos);
}

TEST_F(CredentialsImds, AnInstanceWithoutARoleHasNone) {
  transport_.script = [](const AskedRequest& request) {
    return request.method == "PUT" ? Answer(200, "the-token") : Answer(404);
  };
  EXPECT_FALSE(provider_.Load({}));
  EXPECT_EQ(provider_.Absence(), "The instance has no role.");
}

TEST_F(CredentialsImds, NobodyIsAskedWhenTheServiceIsDisabled) {
  environment_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_FALSE(provider_.Load({}));
  EXPECT_EQ(transport_.seen.size(), 0u);
  EXPECT_NE(provider_.Absence().find("AWS_EC2_METADATA_DISABLED"), std::string::npos);
}

TEST_F(CredentialsImds, TheEndpointCanBeMoved) {
  transport_.script = Instance;
  environment_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6";
  EXPECT_TRUE(provider_.Load({}));
  EXPECT_EQ(transport_.seen[0].url, "http://[fd00:ec2::254]/latest/api/token");
  environment_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "169.254.169.254";
  EXPECT_EQ(ErrorOf([&] { provider_.Load({}); }).kind(), ErrorKind::kInvalid);
}

TEST_F(CredentialsImds, ComeFromARealServer) {
  LocalServer server([](const LocalServer::Request& request) {
    AskedRequest asked;
    asked.method = request.head.substr(0, request.head.find(' '));
    asked.url = "http://host" + request.head.substr(asked.method.size() + 1);
    asked.url.erase(asked.url.find(' '));
    for (const std::string name :
         {"x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"}) {
      const size_t at = request.head.find("\r\n" + name + ": ");
      if (at == std::string::npos) continue;
      const size_t begin = at + name.size() + 4;
      asked.headers.emplace_back(
          name, request.head.substr(begin, request.head.find('\r', begin) - begin));
    }
    const HttpResponse answer = Instance(asked);
    return LocalServer::Reply{LocalServer::Response(answer.status, answer.body)};
  });
  environment_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.origin() + "/";
  CurlTransport curl;
  InstanceCredentials provider({curl, environment_});
  const auto found = provider.Load({});
  ASSERT_TRUE(found) << provider.Absence();
  EXPECT_EQ(found->secret_access_key, "secret-of-ASIA4");
}

TEST_F(CredentialsImds, ASilentServerHoldsUpForASecond) {
  LocalServer server([](const auto&) { return LocalServer::Reply{"", false, true}; });
  environment_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.origin();
  CurlTransport curl;
  InstanceCredentials provider({curl, environment_});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(provider.Load({}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

}  // namespace
}  // namespace pgbackup
