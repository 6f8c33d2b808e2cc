// What real stores make of the settings that say how objects are stored. See s3_servers.h.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/aws/credentials_chain.h"
#include "core/http/curl_transport.h"
#include "core/maintenance/janitor_run.h"
#include "core/ownership/claim.h"
#include "core/s3/object_options.h"
#include "core/s3/s3_client.h"
#include "core/storage/probe_report.h"
#include "core/storage_backends/open_storage.h"
#include "run_test_support.h"
#include "s3_servers.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class S3OptionsLive : public ::testing::TestWithParam<S3Slot> {
 protected:
  void SetUp() override {
    if (!server_.is_there()) GTEST_SKIP() << server_.WhyNotThere();
    std::array<std::byte, 8> random;
    environment_->FillRandom(random);
    folder_ = "options-" + ToHex(random);
    bucket_ = server_.Variable("BUCKET");
    settings_ = server_.Settings();
    settings_.s3.part_size = kPart;
  }

  Storage& storage() {
    settings_.url = "s3://" + bucket_ + "/" + folder_;
    if (!storage_) storage_ = OpenStorage(settings_, *environment_, cancellation_);
    return *storage_;
  }

  // One request past the storage; `name` empty is the bucket.
  HttpResponse Ask(const char* method, const std::string& name, const HttpHeaders& headers = {},
                   const NameValues& query = {}, std::string_view body = {}) {
    S3Limits limits;
    limits.retry.window = std::chrono::milliseconds(1);
    auto transport = std::make_unique<CurlTransport>("");
    auto credentials =
        MakeCredentialsChain({settings_.s3.credentials_file, "", ""}, {*transport, *environment_});
    S3Client client(Endpoint(settings_.s3, bucket_, settings_.s3.region), bucket_, "", limits,
                    std::move(transport), std::move(credentials), *environment_, {}, nullptr);
    S3Call call;
    call.method = method;
    if (!name.empty()) call.key = folder_ + "/" + name;
    call.headers = headers;
    call.query = query;
    call.body = AsBytes(body);
    call.purpose = {"ask for", name, "everything"};
    return client.Call(call, {{&cancellation_}, std::nullopt}).response;
  }

  // Writes an object of one PUT and one of two parts, and expects `headers` when looking at them,
  // or `of_parts` for the second.
  void ExpectBothGet(const HttpHeaders& headers,
                     const std::optional<HttpHeaders>& of_parts = std::nullopt) {
    const std::string large = SomeBytes(kPart + 17);
    WriteObject(storage(), "small", "content");
    WriteObject(storage(), "large", large);
    EXPECT_EQ(ReadObjectText(storage(), "small"), "content");
    EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "large"), large));
    for (const char* name : {"small", "large"}) {
      const HttpResponse head = Ask("HEAD", name);
      const bool has_parts = std::string_view(name) == "large";
      for (const auto& [header, value] : has_parts&& of_parts ? *of_parts : headers)
        EXPECT_EQ(head.Header(header), value) << name;
    }
  }

  // The store refuses what is asked for, and the error leads to the setting.
  void ExpectNotImplemented() {
    const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.detail().find("HTTP status 501"), std::string::npos) << error.detail();
    EXPECT_NE(error.hint().find("pgbackup.s3_sse"), std::string::npos) << error.hint();
  }

  // The store takes an object with a lock as if there was none.
  void ExpectNoLock() {
    ExpectBothGet({{"x-amz-object-lock-mode", ""}});
    storage().Delete("small");
    EXPECT_EQ(ListNames(storage(), ""), std::vector<std::string>{"large"});
  }

  std::vector<const char*> Checksums() const {
    if (deviations_.knows_sha256_alone) return {"sha256"};
    return {"sha256", "crc32c", "crc64nvme"};
  }

  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  const S3Server server_{GetParam(), *environment_};
  const S3Deviations deviations_ = server_.deviations();
  Cancellation cancellation_;
  StorageSettings settings_;
  std::string bucket_, folder_;
  std::unique_ptr<Storage> storage_;
};

TEST_P(S3OptionsLive, ObjectsAreEncryptedWithAKeyOfTheStore) {
  settings_.s3.sse = "AES256";
  if (deviations_.knows_no_encryption) return ExpectNotImplemented();
  if (deviations_.knows_no_store_key) GTEST_SKIP() << "needs a newer server";
  ExpectBothGet({{"x-amz-server-side-encryption", "AES256"}});
}

TEST_P(S3OptionsLive, ObjectsAreEncryptedWithTheKeyThatIsNamed) {
  settings_.s3.sse = "aws:kms";
  settings_.s3.kms_key_id = "testkey-2";
  if (deviations_.knows_no_encryption) return ExpectNotImplemented();
  ExpectBothGet({{"x-amz-server-side-encryption", "aws:kms"},
                 {"x-amz-server-side-encryption-aws-kms-key-id", "testkey-2"}});
}

TEST_P(S3OptionsLive, AKeyThatTheStoreDoesNotHaveIsAnError) {
  settings_.s3.sse = "aws:kms";
  settings_.s3.kms_key_id = "no-such-key";
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(),
            deviations_.one_error_for_all_keys ? ErrorKind::kDenied : ErrorKind::kInvalid)
      << error.message() << error.detail();
  EXPECT_EQ(storage().Head("x"), std::nullopt);
}

TEST_P(S3OptionsLive, ObjectsAreEncryptedWithAKeyOfOurs) {
  const TemporaryDirectory directory;
  const auto use_key = [&](const std::string& key) {
    settings_.s3.sse_c_key_file = key.empty() ? "" : directory.path() + "/key";
    std::ofstream(directory.path() + "/key") << key;
    chmod((directory.path() + "/key").c_str(), 0600);
    storage_.reset();
  };
  const std::string key = SomeBytes(32, 7), large = SomeBytes(4 * kPart + 17);
  if (deviations_.ignores_customer_keys) {
    use_key(key);
    for (const std::string& content : {std::string("content"), large}) {
      const Error ignored = ErrorOf([&] { WriteObject(storage(), "x", content); });
      EXPECT_NE(ignored.message().find("does not encrypt with a key of yours"), std::string::npos)
          << ignored.message();
    }
    EXPECT_EQ(ListNames(storage(), ""), std::vector<std::string>());
    EXPECT_EQ(RemoveEverything(storage(), "x/").unfinished_uploads, 0u);
    return;
  }
  for (const char* checksum : {"", "crc64nvme"}) {
    settings_.s3.checksum = checksum;
    use_key(key);
    WriteObject(storage(), "small", "content");
    WriteObject(storage(), "large", large);
    EXPECT_EQ(ReadObjectText(storage(), "small"), "content");
    EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "large"), large));
    EXPECT_EQ(storage().Head("large")->size, large.size());
  }
  {
    const auto aborted = storage().Put("aborted", {});
    aborted->Write(AsBytes(large));
  }
  EXPECT_EQ(RemoveEverything(storage(), "aborted").unfinished_uploads, 0u);
  for (const char* name : {"small", "large"}) {
    use_key(SomeBytes(32, 8));
    const Error wrong = ErrorOf([&] { ReadObjectText(storage(), name); });
    EXPECT_EQ(wrong.kind(), ErrorKind::kDenied) << wrong.message() << wrong.detail();
    EXPECT_NE(wrong.message().find("the encryption key is not the one"), std::string::npos)
        << wrong.message() << wrong.detail();
    use_key("");
    const Error none = ErrorOf([&] { ReadObjectText(storage(), name); });
    EXPECT_EQ(none.kind(), ErrorKind::kDenied) << none.message() << none.detail();
    EXPECT_NE(none.hint().find("Set pgbackup.s3_sse_c_key_file"), std::string::npos)
        << none.message() << none.detail();
    EXPECT_EQ(ErrorOf([&] { storage().Head(name); }).kind(), ErrorKind::kDenied);
  }
  use_key(key);
  EXPECT_EQ(RemoveEverything(storage(), "none/").objects, 0u);
}

TEST_P(S3OptionsLive, TheStorageClassIsTaken) {
  settings_.s3.storage_class = "STANDARD";
  ExpectBothGet({});
}

TEST_P(S3OptionsLive, AStorageClassThatTheStoreDoesNotHaveIsAnError) {
  settings_.s3.storage_class = "NO_SUCH_CLASS";
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.message() << error.detail();
}

TEST_P(S3OptionsLive, TagsArriveDecoded) {
  settings_.s3.tags = "team=data,purpose=nightly backup +-=._:/@";
  if (deviations_.knows_no_tags) return ExpectNotImplemented();
  if (deviations_.multipart_loses_options)
    return ExpectBothGet({{"x-amz-tagging-count", "2"}}, {{{"x-amz-tagging-count", "0"}}});
  ExpectBothGet({{"x-amz-tagging-count", "2"}});
  for (const char* name : {"small", "large"}) {
    const std::string body = Ask("GET", name, {}, {{"tagging", ""}}).body;
    EXPECT_NE(body.find("<Value>nightly backup +-=._:/@</Value>"), std::string::npos) << body;
  }
}

TEST_P(S3OptionsLive, TheStoreKeepsTheChecksums) {
  for (const char* checksum : Checksums()) {
    settings_.s3.checksum = checksum;
    storage_.reset();
    if (deviations_.refuses_checksums_of_parts) {
      const auto write_parts = [&] { WriteObject(storage(), "large", SomeBytes(kPart + 17)); };
      EXPECT_EQ(ErrorOf(write_parts).kind(), ErrorKind::kInvalid);
      continue;
    }
    ExpectBothGet({});
    const HttpResponse head = Ask("HEAD", "small", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(head.Header(std::string("x-amz-checksum-") + checksum),
              deviations_.forgets_checksums
                  ? ""
                  : ObjectOptions(settings_.s3).Guard(AsBytes("content")).checksum);
    const HttpResponse large = Ask("HEAD", "large", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(large.Header(std::string("x-amz-checksum-") + checksum).empty(),
              deviations_.forgets_checksums);
  }
}

TEST_P(S3OptionsLive, TheStoreRefusesABodyThatIsNotWhatTheChecksumSays) {
  for (const char* checksum : Checksums()) {
    settings_.s3.checksum = checksum;
    const BodyGuard guard = ObjectOptions(settings_.s3).Guard(AsBytes("something"));
    if (deviations_.ignores_wrong_checksums) {
      Ask("PUT", "nothing", guard.headers);
      continue;
    }
    const Error error = ErrorOf([&] { Ask("PUT", "nothing", guard.headers); });
    EXPECT_NE(error.detail().find("HTTP status 400"), std::string::npos) << error.detail();
  }
}

TEST_P(S3OptionsLive, PayingForRequestsDisturbsNothing) {
  settings_.s3.requester_pays = true;
  ExpectBothGet({});
}

TEST_P(S3OptionsLive, ALockOnABucketWithoutLocksSaysWhatToDo) {
  settings_.s3.object_lock_mode = "governance";
  settings_.s3.object_lock_days = 1;
  if (deviations_.ignores_object_lock) return ExpectNoLock();
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.hint().find("pgbackup.s3_object_lock_mode"), std::string::npos)
      << error.message() << error.detail() << error.hint();
}

TEST_P(S3OptionsLive, LockedObjectsStayAndTheErrorNamesTheLock) {
  bucket_ = folder_;
  Ask("PUT", "", {{"x-amz-bucket-object-lock-enabled", "true"}});
  settings_.s3.object_lock_mode = "compliance";
  settings_.s3.object_lock_days = 1;
  if (deviations_.ignores_object_lock) return ExpectNoLock();
  const HttpHeaders locked = {{"x-amz-object-lock-mode", "COMPLIANCE"}};
  if (deviations_.multipart_loses_options)
    return ExpectBothGet(locked, {{{"x-amz-object-lock-mode", ""}}});
  ExpectBothGet(locked);
  WriteObject(storage(), "b/manifest.json", "{}", {.if_absent = true, .content_type = "a/b"});
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { storage().Delete("large"); }, [&] { SweepFolder(storage(), "b"); }}) {
    const Error error = ErrorOf(action);
    EXPECT_EQ(error.kind(), ErrorKind::kDenied);
    EXPECT_NE(error.message().find("its object lock (COMPLIANCE) lasts until 2"), std::string::npos)
        << error.message();
  }
  EXPECT_EQ(ListNames(storage(), ""),
            (std::vector<std::string>{"b/manifest.json", "large", "small"}));
  // The store itself keeps the version whose removal is asked for.
  const std::string version(Ask("HEAD", "small").Header("x-amz-version-id"));
  const Error error = ErrorOf([&] { Ask("DELETE", "small", {}, {{"versionId", version}}); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied) << error.message() << error.detail();
  EXPECT_NE(error.message().find("its object lock has not ended"), std::string::npos)
      << error.detail();
}

TEST_P(S3OptionsLive, AProbeWritesNothingThatIsLocked) {
  bucket_ = folder_;
  Ask("PUT", "", {{"x-amz-bucket-object-lock-enabled", "true"}});
  settings_.s3.object_lock_mode = "governance";
  settings_.s3.object_lock_days = 1;
  const auto status_of = [&](const std::string& item) {
    ProbeReport report;
    EXPECT_FALSE(storage().Probe({"probe", *environment_}, report));
    EXPECT_EQ(ListNames(storage(), ""), std::vector<std::string>());
    for (const ProbeRow& row : report.rows()) {
      if (row.item == item) return row.status;
      EXPECT_NE(row.status, ProbeStatus::kError) << row.item << ": " << row.detail;
    }
    return ProbeStatus::kError;
  };
  if (deviations_.ignores_object_lock) {
    EXPECT_EQ(status_of("object lock"), ProbeStatus::kError);
    return;
  }
  EXPECT_EQ(status_of("object lock"), ProbeStatus::kOk);
  EXPECT_EQ(status_of("put"), ProbeStatus::kOk);

  // From now on the bucket locks everything by itself.
  const std::string_view body =
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
      "<DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
      "</ObjectLockConfiguration>";
  Ask("PUT", "", ObjectOptions(settings_.s3).Guard(AsBytes(body)).headers, {{"object-lock", ""}},
      body);
  EXPECT_EQ(status_of("object lock"), ProbeStatus::kWarning);
  EXPECT_EQ(status_of("put"), ProbeStatus::kSkipped);
  EXPECT_EQ(status_of("multipart abort"), ProbeStatus::kOk);
}

TEST_P(S3OptionsLive, TheJanitorReportsWhatIsLocked) {
  bucket_ = folder_;
  Ask("PUT", "", {{"x-amz-bucket-object-lock-enabled", "true"}});
  settings_.s3.object_lock_mode = "governance";
  settings_.s3.object_lock_days = 1;
  WriteObject(storage(), "run/schema.dump.zst", "x");
  const RunHarness harness(*environment_, [this](const Cancellation& cancellation) {
    return OpenStorage(settings_, *environment_, cancellation);
  });
  JanitorJob job;
  job.remove = true;
  job.folders = {"run"};
  boost::json::array found;
  for (int i = 0; found.empty() && i < 30; ++i) {  // until it is older than a second
    environment_->Sleep(std::chrono::milliseconds(100), cancellation_);
    found = FieldOf(RunJanitor(job, harness.context), "found");
  }
  ASSERT_EQ(found.size(), 1u);
  if (deviations_.ignores_object_lock) {
    EXPECT_EQ(TextOf(found[0], "kept"), "");
    return;
  }
  EXPECT_NE(TextOf(found[0], "kept").find("its object lock (GOVERNANCE) lasts until 2"),
            std::string::npos)
      << TextOf(found[0], "kept");
  EXPECT_EQ(ListNames(storage(), ""), std::vector<std::string>{"run/schema.dump.zst"});
}

INSTANTIATE_TEST_SUITE_P(, S3OptionsLive, ::testing::Values(S3Slot::kMain, S3Slot::kSwift),
                         [](const auto& info) { return S3SlotName(info.param); });

}  // namespace
}  // namespace pgbackup
