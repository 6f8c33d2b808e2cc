// Encryption by the store with a key of ours: the key's file, and where the key goes.
#include "core/s3/customer_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "core/base/base64.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

// The bytes 0 to 31.
constexpr const char* kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr const char* kMd5 = "tP/LI3N87DFaSk0aoqYgzg==";
const HttpHeaders kHeaders = {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
                              {"x-amz-server-side-encryption-customer-key", kBase64},
                              {"x-amz-server-side-encryption-customer-key-md5", kMd5}};

std::string RawKey() {
  std::string key;
  for (char c = 0; c < 32; ++c) key += c;
  return key;
}

class CustomerKeyTest : public ::testing::Test {
 protected:
  CustomerKeyTest() {
    settings_.endpoint = "https://store:9000";
    settings_.sse_c_key_file = directory_.path() + "/key";
  }
  void WriteKey(const std::string& content, mode_t mode = 0600) {
    std::ofstream(settings_.sse_c_key_file, std::ios::binary) << content;
    chmod(settings_.sse_c_key_file.c_str(), mode);
  }
  Error KeyError() {
    Error error = ErrorOf([&] { CustomerKeyHeaders(settings_); });
    const std::string text = error.message() + error.detail() + error.hint();
    EXPECT_EQ(text.find(kBase64), std::string::npos);
    EXPECT_EQ(text.find("AAECAwQ"), std::string::npos);
    EXPECT_FALSE(error.hint().empty());
    return error;
  }

  TemporaryDirectory directory_;
  S3Settings settings_;
};

TEST_F(CustomerKeyTest, IsReadAsBytesOrInBase64) {
  for (const std::string& content : {RawKey(), std::string(kBase64), kBase64 + std::string("\n"),
                                     kBase64 + std::string("\r\n")}) {
    WriteKey(content);
    EXPECT_EQ(CustomerKeyHeaders(settings_), kHeaders);
  }
  settings_.sse_c_key_file.clear();
  EXPECT_TRUE(CustomerKeyHeaders(settings_).empty());
}

TEST_F(CustomerKeyTest, AnythingElseIsNoKey) {
  const std::string base64 = kBase64;
  for (const std::string& content :
       {std::string(), RawKey().substr(1), RawKey() + "\n", base64.substr(4), base64 + "AAAA",
        base64 + "\n\n", base64.substr(0, 43), "*" + base64.substr(1),
        base64.substr(0, 42) + "9=" /* bits behind the last byte */}) {
    WriteKey(content);
    const Error error = KeyError();
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << content.size();
    EXPECT_NE(error.message().find("it does not hold a key"), std::string::npos);
  }
}

TEST_F(CustomerKeyTest, IsNobodyElsesToRead) {
  EXPECT_EQ(KeyError().kind(), ErrorKind::kNotFound);
  for (const mode_t mode : {0604, 0644, 0660}) {
    WriteKey(kBase64, mode);
    const Error error = KeyError();
    EXPECT_EQ(error.kind(), ErrorKind::kDenied);
    EXPECT_NE(error.hint().find("chmod 0600"), std::string::npos);
  }
  WriteKey(kBase64);
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(chown(settings_.sse_c_key_file.c_str(), 65534, 65534), 0);
  EXPECT_NE(KeyError().message().find("belongs to another user"), std::string::npos);
}

TEST_F(CustomerKeyTest, DoesNotTravelInClear) {
  WriteKey(kBase64);
  for (const char* endpoint : {"http://store:9000", "http://127.0.0.1.example.com",
                               "http://10.0.0.1", "http://localhost.example.com:80/"}) {
    settings_.endpoint = endpoint;
    const Error error = KeyError();
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.message().find("https://"), std::string::npos) << endpoint;
  }
  for (const char* endpoint : {"", "https://store", "http://127.0.0.1:9000", "http://localhost",
                               "http://[::1]:9000", "http://[::1]", "http://localhost:9000/"}) {
    settings_.endpoint = endpoint;
    EXPECT_EQ(CustomerKeyHeaders(settings_), kHeaders) << endpoint;
  }
  settings_.proxy = "http://proxy:3128";
  EXPECT_EQ(KeyError().kind(), ErrorKind::kInvalid);
  settings_.endpoint = "https://store";
  EXPECT_EQ(CustomerKeyHeaders(settings_), kHeaders);
}

class CustomerKeyRequests : public CustomerKeyTest {
 protected:
  CustomerKeyRequests() {
    WriteKey(kBase64);
    settings_.part_size = kLeastPartSize;
    limits_.range_size = 100'000;
  }
  S3Storage& storage() {
    if (!storage_)
      storage_ = std::make_unique<S3Storage>(S3Location{"bucket", ""}, settings_, limits_,
                                             std::make_unique<FakeTransport>(store_), environment_,
                                             cancellation_);
    return *storage_;
  }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  S3Limits limits_;
  FakeStore store_;
  std::unique_ptr<S3Storage> storage_;
};

TEST_F(CustomerKeyRequests, WhatMovesOrDescribesContentCarriesTheKeyAndNothingElseDoes) {
  const std::string large = SomeBytes(kLeastPartSize + 17);
  settings_.path_style = "on";
  WriteObject(storage(), "small", "content", {.if_absent = true});
  WriteObject(storage(), "large", large);
  {
    const auto aborted = storage().Put("aborted", {});
    aborted->Write(AsBytes(large));
  }
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "large"), large));
  storage().Head("small");
  ListNames(storage(), "");
  storage().Delete("small");
  std::set<std::string> with_key;
  for (const SeenRequest& request : store_.seen) {
    const bool expected = request.method != "DELETE" && request.path != "/bucket";
    for (const auto& [name, value] : kHeaders)
      EXPECT_EQ(request.Header(name), expected ? value : "") << request.method << request.path;
    if (expected) with_key.insert(request.method);
  }
  EXPECT_EQ(with_key, (std::set<std::string>{"GET", "HEAD", "POST", "PUT"}));
}

TEST_F(CustomerKeyRequests, AStoreThatIgnoresTheKeyGetsNothing) {
  store_.knows_customer_keys = false;
  for (const std::string& content : {std::string("small"), SomeBytes(kLeastPartSize + 1)}) {
    const Error error = ErrorOf([&] { WriteObject(storage(), "x", content); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.hint().find("Reset pgbackup.s3_sse_c_key_file"), std::string::npos);
    EXPECT_TRUE(store_.objects.empty());
    EXPECT_TRUE(store_.uploads.empty());
  }
}

TEST_F(CustomerKeyRequests, TheKeyExcludesTheStoresOwnForWhatWrites) {
  settings_.sse = "AES256";
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(), "invalid value of pgbackup.s3_sse_c_key_file");
  EXPECT_NE(error.hint().find("exclude each other"), std::string::npos);
}

TEST_F(CustomerKeyRequests, ThereAreNoUrlsToHandOut) {
  const Error error = ErrorOf([&] { storage().Presign("x", 60); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.detail().find("pgbackup.s3_sse_c_key_file"), std::string::npos);
}

// In the words of the stores.
TEST_F(CustomerKeyRequests, EveryRefusalAboutAKeySaysWhatToDo) {
  struct Case {
    bool has_key;
    int status;
    const char* code;
    const char* words;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {false, 400, "InvalidRequest",
       "The object was stored using a form of Server Side Encryption. The correct parameters must "
       "be provided to retrieve the object.",
       "it is encrypted with a key of yours", "Set pgbackup.s3_sse_c_key_file"},
      {true, 400, "InvalidRequest", "The encryption parameters are not applicable to this object.",
       "it is not encrypted with a key of yours", "Reset pgbackup.s3_sse_c_key_file"},
      {true, 400, "InvalidArgument",
       "The provided encryption parameters did not match the ones used originally.",
       "the encryption key is not the one it was written with", "Point pgbackup.s3_sse_c_key_file"},
      {true, 400, "InvalidArgument",
       "The calculated MD5 hash of the key did not match the hash that was provided.",
       "the encryption key is not the one it was written with", "Point pgbackup.s3_sse_c_key_file"},
      {true, 403, "AccessDenied", "Access Denied", "access denied",
       "pgbackup.s3_sse_c_key_file holds another key"}};
  for (const Case& each : cases) {
    settings_.sse_c_key_file = each.has_key ? directory_.path() + "/key" : "";
    storage_.reset();
    store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.method == "HEAD") return Answer(each.status);
      return Answer(each.status, std::string("<Error><Code>") + each.code + "</Code><Message>" +
                                     each.words + "</Message></Error>");
    };
    for (const auto& action : std::vector<std::function<void()>>{
             [&] { ReadObjectText(storage(), "x"); }, [&] { storage().Head("x"); }}) {
      const Error error = ErrorOf(action);
      EXPECT_NE(error.message().find(std::string(": ") + each.message), std::string::npos)
          << error.message();
      EXPECT_NE(error.hint().find(each.hint), std::string::npos) << error.hint();
    }
  }
}

}  // namespace
}  // namespace pgbackup
