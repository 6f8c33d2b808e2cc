// What every real store says to wrong settings, and that the errors tell a person what to mend.
// See s3_servers.h.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>

#include "core/http/curl_transport.h"
#include "core/manifest/segment_sink.h"
#include "core/pipeline/hash_sink.h"
#include "core/storage_backends/open_storage.h"
#include "pipeline_test_support.h"
#include "s3_servers.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class S3Live : public ::testing::TestWithParam<S3Slot> {
 protected:
  void SetUp() override {
    if (!server_.is_there()) GTEST_SKIP() << server_.WhyNotThere();
    settings_ = server_.Settings();
    std::ifstream file(settings_.s3.credentials_file);
    for (std::string line; std::getline(file, line);) {
      const std::string value = line.substr(line.rfind(' ') + 1);
      if (line.find("key_id") != std::string::npos) access_key_ = value;
      if (line.find("secret") != std::string::npos) secret_ = value;
    }
  }

  void UseKeys(const std::string& access_key, const std::string& secret) {
    settings_.s3.credentials_file = directory_.path() + "/credentials";
    std::ofstream(settings_.s3.credentials_file) << "[default]\naws_access_key_id = " << access_key
                                                 << "\naws_secret_access_key = " << secret << "\n";
    chmod(settings_.s3.credentials_file.c_str(), 0600);
  }

  Error WriteError() {
    const auto storage = OpenStorage(settings_, *environment_, cancellation_);
    Error error = ErrorOf([&] { WriteObject(*storage, "x", "content"); });
    EXPECT_EQ((error.message() + error.detail() + error.hint()).find(secret_), std::string::npos);
    const Error list = ErrorOf([&] { storage->List("", [](const ObjectInfo&) {}); });
    EXPECT_EQ(list.kind(), error.kind()) << list.message();
    return error;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  const S3Server server_{GetParam(), *environment_};
  const S3Deviations deviations_ = server_.deviations();
  Cancellation cancellation_;
  StorageSettings settings_;
  std::string access_key_, secret_;
};

TEST_P(S3Live, SaysThatTheAccessKeyIsUnknown) {
  UseKeys("NOSUCHKEY00000000000", "whatever");
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.message().find(deviations_.calls_wrong_keys_denied ? "access denied"
                                 : deviations_.one_error_for_both_keys
                                     ? "(or the access key id) is wrong"
                                     : "does not know the access key id"),
            std::string::npos)
      << error.message() << error.detail();
}

TEST_P(S3Live, SaysThatTheSecretKeyIsWrong) {
  UseKeys(access_key_, "wrong");
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.message().find(deviations_.calls_wrong_keys_denied
                                     ? "access denied"
                                     : "the secret key (or the access key id) is wrong"),
            std::string::npos)
      << error.message() << error.detail();
}

TEST_P(S3Live, SaysThatTheBucketIsMissing) {
  settings_.url = "s3://no-such-bucket-here";
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_NE(error.message().find("bucket \"no-such-bucket-here\" does not exist"),
            std::string::npos)
      << error.message() << error.detail();
}

TEST_P(S3Live, SaysThatTheCertificateIsNotTrusted) {
  settings_.s3.endpoint = server_.Variable("TLS_ENDPOINT");
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(error.message().find("no secure connection"), std::string::npos);
  EXPECT_NE(error.hint().find("pgbackup.s3_ca_file"), std::string::npos);
}

TEST_P(S3Live, SaysThatTheAuthorityFileIsMissing) {
  settings_.s3.endpoint = server_.Variable("TLS_ENDPOINT");
  settings_.s3.ca_file = directory_.path() + "/none.pem";
  EXPECT_NE(WriteError().hint().find(settings_.s3.ca_file), std::string::npos);
}

TEST_P(S3Live, DoesNotTrustTheRightAuthorityForTheWrongName) {
  settings_ = server_.TlsSettings();
  settings_.s3.endpoint = WithHost(settings_.s3.endpoint, "other.localhost");
  if (settings_.s3.endpoint.empty()) GTEST_SKIP() << "needs a server on 127.0.0.1";
  EXPECT_NE(WriteError().message().find("no secure connection"), std::string::npos);
}

TEST_P(S3Live, FindsTheRegionByItself) {
  settings_.s3.region = "nowhere-9";
  const auto storage = OpenStorage(settings_, *environment_, cancellation_);
  WriteObject(*storage, "region-test", "content");
  EXPECT_EQ(ReadObjectText(*storage, "region-test"), "content");
  storage->Delete("region-test");
}

TEST_P(S3Live, ABigObjectIsReadInRangesAndStaysTheSame) {
  const auto storage = OpenStorage(settings_, *environment_, cancellation_);
  const std::string content = SomeBytes(64u << 20);
  WriteObject(*storage, "ranges-test", content, {}, 1 << 20);
  SinkLog unused;
  HashSink hash(std::make_unique<LoggingSink>(&unused));
  storage->Get("ranges-test", hash);
  hash.Finish();
  EXPECT_EQ(hash.sha256(), ToHex(Sha256::Of(content)));
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "ranges-test", 3, 20u << 20),
                        content.substr(3, 20u << 20)));
  storage->Delete("ranges-test");
}

// 900 parts would be 4.4 GiB, so an object takes two here.
TEST_P(S3Live, ALongStreamContinuesInTheNextObject) {
  settings_.s3.part_size = kLeastPartSize;
  S3Limits limits;
  limits.most_parts = 2;
  S3Storage storage({settings_.url.substr(5), "segments-test"}, settings_.s3, limits,
                    std::make_unique<CurlTransport>(), *environment_, cancellation_);
  const std::string content = SomeBytes(2 * kLeastPartSize + 7);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "a/x", &stored);
  sink.Write(AsBytes(content));
  sink.Finish();
  ASSERT_EQ(sink.segments().size(), 2u);
  EXPECT_TRUE(
      SameBytes(ReadObjectText(storage, "a/x") + ReadObjectText(storage, "a/x.part2"), content));
  EXPECT_EQ(RemoveEverything(storage, "a/").objects, 2u);
}

INSTANTIATE_TEST_SUITE_P(, S3Live, ::testing::Values(S3Slot::kMain, S3Slot::kSwift, S3Slot::kSts),
                         [](const auto& info) { return S3SlotName(info.param); });

class S3LiveRole : public S3Live {};

// A user who may do nothing but assume a role that may.
TEST_P(S3LiveRole, IsAssumed) {
  const std::string role = server_.Variable("ROLE");
  const std::string keys = server_.Variable("BARE_CREDENTIALS_FILE");
  std::ifstream bare(keys);
  settings_.s3.credentials_file = directory_.path() + "/credentials";
  std::ofstream(settings_.s3.credentials_file)
      << bare.rdbuf() << "[backup]\nrole_arn = " << role
      << "\nsource_profile = default\n[none]\nrole_arn = " << role
      << "-not\nsource_profile = default\n";
  chmod(settings_.s3.credentials_file.c_str(), 0600);
  setenv("AWS_ENDPOINT_URL_STS", settings_.s3.endpoint.c_str(), 1);

  EXPECT_EQ(WriteError().kind(), ErrorKind::kDenied);
  settings_.s3.profile = "none";
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.message().find(role + "-not"), std::string::npos) << error.message();
  settings_.s3.profile = "backup";
  {
    settings_.s3.part_size = 5u << 20;
    const auto storage = OpenStorage(settings_, *environment_, cancellation_);
    const std::string content = SomeBytes(11u << 20);
    WriteObject(*storage, "role-test", content);
    EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "role-test"), content));
    storage->Delete("role-test");
  }
  unsetenv("AWS_ENDPOINT_URL_STS");
}

INSTANTIATE_TEST_SUITE_P(, S3LiveRole, ::testing::Values(S3Slot::kSts),
                         [](const auto& info) { return S3SlotName(info.param); });

}  // namespace
}  // namespace pgbackup
