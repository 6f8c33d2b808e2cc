// pgbackup.s3_proxy: requests go through it, and nothing else decides whether they do.
#include <gtest/gtest.h>

#include "core/http/curl_transport.h"
#include "core/storage_backends/open_storage.h"
#include "local_proxy.h"
#include "s3_local_server.h"
#include "s3_test_support.h"
#include "shared/option_check.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

TEST(ProxySetting, IsSchemeHostAndPort) {
  const char* error = nullptr;
  for (const char* good : {"", "http://proxy:3128", "https://proxy.example.com:443",
                           "socks5h://127.0.0.1:1080", "http://[::1]:3128"})
    EXPECT_TRUE(CheckProxy(good, &error)) << good;
  for (const char* bad :
       {"proxy:3128", "socks5://proxy:1", "http://", "http://proxy", "http://:1",
        "http://proxy:", "http://proxy:0", "http://proxy:65536", "http://proxy:1/",
        "http://proxy:1?x", "http://pro xy:1", "http://proxy:1\n", "http://proxy:12x",
        "http://a:b:1", "http://[::1]", "http://[::1:3128", "ftp://proxy:1"}) {
    error = nullptr;
    EXPECT_FALSE(CheckProxy(bad, &error)) << bad;
    EXPECT_NE(error, nullptr);
  }
  for (const char* secret : {"http://me:secret@proxy:1", "http://me@proxy:1", "me@proxy:1"}) {
    EXPECT_FALSE(CheckProxy(secret, &error));
    EXPECT_NE(std::string(error).find("password"), std::string::npos) << error;
  }
}

class ProxyTest : public ::testing::Test {
 protected:
  int StatusOf(CurlTransport& transport, const std::string& url, bool no_proxy = false) {
    HttpRequest request;
    request.method = "GET";
    request.url = url;
    request.no_proxy = no_proxy;
    request.cancellations = {&cancellation_};
    return transport.Perform(request).status;
  }
  // An address where nobody listens.
  static std::string DeadProxy() {
    const LocalServer server([](const auto&) { return LocalServer::Reply{}; });
    return server.origin();
  }
  // What a storage behind `proxy` says.
  Error StorageError(const std::string& endpoint, const std::string& proxy) {
    S3Settings settings;
    settings.endpoint = endpoint;
    settings.proxy = proxy;
    S3Limits limits;
    limits.first_contact_window = std::chrono::milliseconds(1);
    S3Storage storage({"bucket", ""}, settings, limits, std::make_unique<CurlTransport>("", proxy),
                      environment_, cancellation_);
    return ErrorOf([&] { storage.Head("x"); });
  }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  LocalServer server_{
      [](const auto&) { return LocalServer::Reply{LocalServer::Response(200, "")}; }};
};

TEST_F(ProxyTest, RequestsGoThroughIt) {
  for (const std::string scheme : {"http", "socks5h"}) {
    LocalProxy proxy;
    CurlTransport transport("", proxy.Url(scheme));
    const std::string host = "store.invalid:" + std::to_string(server_.port());
    EXPECT_EQ(StatusOf(transport, "http://" + host + "/x"), 200);
    EXPECT_EQ(StatusOf(transport, "http://" + host + "/y"), 200);
    EXPECT_EQ(proxy.asked(), (std::vector<std::string>{scheme == "http" ? "GET http://" + host
                                                                        : "socks " + host}));
  }
}

TEST_F(ProxyTest, AddressesThatMeanAnotherMachineToEveryoneGoPastIt) {
  LocalProxy proxy;
  CurlTransport transport("", proxy.Url("http"));
  EXPECT_EQ(StatusOf(transport, server_.origin() + "/", true), 200);
  EXPECT_TRUE(proxy.asked().empty());
}

TEST_F(ProxyTest, TheEnvironmentHasNoSay) {
  LocalProxy of_setting, of_environment;
  CurlTransport direct, through("", of_setting.Url("http"));
  for (const char* variable : {"http_proxy", "all_proxy"})
    setenv(variable, of_environment.Url("http").c_str(), 1);
  setenv("no_proxy", "*", 1);
  EXPECT_EQ(StatusOf(through, server_.origin() + "/"), 200);
  unsetenv("no_proxy");
  EXPECT_EQ(StatusOf(direct, server_.origin() + "/"), 200);
  for (const char* variable : {"http_proxy", "all_proxy"}) unsetenv(variable);
  EXPECT_TRUE(of_environment.asked().empty());
  EXPECT_EQ(of_setting.asked().size(), 1u);
}

TEST_F(ProxyTest, OneThatIsNotThereIsNamed) {
  const std::string dead = DeadProxy();
  for (const std::string& proxy : {dead, "socks5h" + dead.substr(4)}) {
    const Error error = StorageError(server_.origin(), proxy);
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_EQ(error.message(), "could not look at s3://bucket/x: could not reach " +
                                   server_.origin() + " through the proxy");
    EXPECT_NE(error.hint().find("pgbackup.s3_proxy (" + proxy + ")"), std::string::npos)
        << error.hint();
  }
}

TEST_F(ProxyTest, OneThatRefusesIsNamed) {
  for (const int status : {403, 407}) {
    LocalProxy proxy(LocalServer::Response(status, "", "Connection: close\r\n"));
    const Error tunnel = StorageError("https://store.invalid", proxy.Url("http"));
    EXPECT_NE(tunnel.message().find("through the proxy"), std::string::npos) << tunnel.message();
    EXPECT_NE(tunnel.detail().find(std::to_string(status)), std::string::npos) << tunnel.detail();
    EXPECT_NE(tunnel.hint().find("pgbackup.s3_proxy"), std::string::npos) << tunnel.hint();
  }
  LocalProxy proxy(LocalServer::Response(407, "", "Connection: close\r\n"));
  const Error error = StorageError("http://store.invalid", proxy.Url("http"));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.hint().find("pgbackup.s3_proxy"), std::string::npos) << error.message();
}

TEST_F(ProxyTest, AStoreBehindItThatIsNotThereIsTheStoresTrouble) {
  LocalProxy proxy;
  const Error error = StorageError(DeadProxy(), proxy.Url("http"));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(proxy.asked().size(), 1u);
}

TEST_F(ProxyTest, ABadSettingIsRefusedWhenTheStorageIsOpened) {
  StorageSettings settings;
  settings.url = "s3://bucket";
  settings.s3.proxy = "http://me:secret@proxy:1";
  const Error error = ErrorOf([&] { OpenStorage(settings, environment_, cancellation_); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(), "invalid value of pgbackup.s3_proxy");
  EXPECT_EQ((error.message() + error.detail() + error.hint()).find("secret"), std::string::npos);
}

// The tunnel, with TLS in it.
TEST(ProxyLive, AStoreIsReachedThroughATunnel) {
  const auto environment = SystemEnvironment();
  const auto variable = [&](const char* name) {
    return environment->Variable(std::string("PGBACKUP_TEST_S3_") + name).value_or("");
  };
  if (variable("TLS_ENDPOINT").empty())
    GTEST_SKIP() << "no S3 server: start one with test/s3/ceph and read its env file";
  for (const std::string scheme : {"http", "socks5h"}) {
    LocalProxy proxy;
    StorageSettings settings;
    settings.url = "s3://" + variable("BUCKET") + "/proxy-test";
    settings.s3.endpoint = variable("TLS_ENDPOINT");
    settings.s3.ca_file = variable("CA_FILE");
    settings.s3.region = variable("REGION");
    settings.s3.credentials_file = variable("CREDENTIALS_FILE");
    settings.s3.proxy = proxy.Url(scheme);
    settings.s3.part_size = kLeastPartSize;
    const Cancellation cancellation;
    const auto storage = OpenStorage(settings, *environment, cancellation);
    const std::string content = SomeBytes(3 * kLeastPartSize + 1);
    WriteObject(*storage, "a/x", content);
    EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "a/x"), content));
    EXPECT_EQ(RemoveEverything(*storage, "a/").objects, 1u);
    ASSERT_FALSE(proxy.asked().empty());
    EXPECT_EQ(proxy.asked()[0].rfind(scheme == "http" ? "CONNECT " : "socks ", 0), 0u);
  }
}

}  // namespace
}  // namespace pgbackup
