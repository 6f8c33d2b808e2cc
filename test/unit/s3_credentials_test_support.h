// What the tests of the sources of credentials share: a transport that does what a test says, and
// files to find.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/aws/credentials_http.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {

// One request to a source of credentials.
struct AskedRequest {
  std::string method;
  std::string url;
  HttpHeaders headers;
  std::string body;
  std::chrono::milliseconds timeout{0};
  bool no_proxy = false;

  std::string Header(const std::string& name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return "";
  }
};

// Answers by `script`, and by 404 without one.
class ScriptedTransport final : public Transport {
 public:
  HttpResponse Perform(const HttpRequest& request) override {
    AskedRequest asked{
        request.method,  request.url,
        request.headers, {reinterpret_cast<const char*>(request.body.data()), request.body.size()},
        request.timeout, request.no_proxy};
    const std::lock_guard lock(mutex_);
    seen.push_back(asked);
    return script ? script(asked) : Answer(404);
  }

  std::function<HttpResponse(const AskedRequest&)> script;
  std::vector<AskedRequest> seen;

 private:
  std::mutex mutex_;
};

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() { environment_.variables.clear(); }

  std::string Write(const std::string& text, mode_t mode = 0600,
                    const std::string& name = "credentials") {
    std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  static std::string AllOf(const Error& error) {
    return error.message() + "|" + error.detail() + "|" + error.hint();
  }

  TemporaryDirectory directory_;
  FakeEnvironment environment_;
  ScriptedTransport transport_;
  CredentialsServices services_{transport_, environment_};
};

inline std::string CredentialsXml(const std::string& action, const std::string& id,
                                  const std::string& expires = "2023-11-14T23:13:20Z") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + action +
         "Result><Credentials><AccessKeyId>" + id + "</AccessKeyId><SecretAccessKey>secret-of-" +
         id + "</SecretAccessKey><SessionToken>token-of-" + id + "</SessionToken><Expiration>" +
         expires + "</Expiration></Credentials></" + action + "Result></" + action + "Response>";
}

inline std::string CredentialsJson(const std::string& id, const std::string& more = {}) {
  return R"({"AccessKeyId": ")" + id + R"(", "SecretAccessKey": "secret-of-)" + id +
         R"(", "Token": "token-of-)" + id + R"(", "Expiration": "2023-11-14T23:13:20Z")" + more +
         "}";
}

}  // namespace pgbackup
