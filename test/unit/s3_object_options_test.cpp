// What the settings make of requests, and which settings are refused.
#include "core/ownership/claim.h"
#include "core/s3/object_options.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "s3_test_support.h"
#include "shared/option_check.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

TEST(Base64, GivesTheExamplesOfTheRfc) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe\xfd", "//79"}};
  for (const auto& [text, encoded] : cases) {
    EXPECT_EQ(ToBase64(AsBytes(text)), encoded);
    const auto decoded = FromBase64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(ToBase64(*decoded), encoded);
  }
}

TEST(Base64, RefusesWhatItWouldNotWrite) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zg==\n", "Zg==Zg==", "=", "Zm9v=", "Zm9_"})
    EXPECT_FALSE(FromBase64(text)) << text;
}

TEST(OptionCheck, TagsAreReadOneByOne) {
  const std::string text = "team=data, purpose=nightly backup,url=a=b:/c@d,empty=";
  const char* error = nullptr;
  ASSERT_TRUE(CheckTags(text, &error));
  std::vector<std::pair<std::string, std::string>> tags;
  S3Tag tag;
  for (std::string_view rest = text; NextTag(&rest, &tag);) tags.emplace_back(tag.key, tag.value);
  EXPECT_EQ(
      tags,
      (decltype(tags){
          {"team", "data"}, {"purpose", "nightly backup"}, {"url", "a=b:/c@d"}, {"empty", ""}}));
}

TEST(OptionCheck, BadTagsAreRefusedWithAReason) {
  const auto reason = [](const std::string& text) {
    const char* error = "";
    EXPECT_FALSE(CheckTags(text, &error)) << text;
    return std::string(error);
  };
  EXPECT_NE(reason("team").find("key=value"), std::string::npos);
  EXPECT_NE(reason("=x").find("key=value"), std::string::npos);
  EXPECT_NE(reason("a=1,,b=2").find("key=value"), std::string::npos);
  EXPECT_NE(reason("a=1,").find("ends with a comma"), std::string::npos);
  EXPECT_NE(reason("a=1,b=2,a=3").find("twice"), std::string::npos);
  EXPECT_NE(reason("a=1&2").find("letters"), std::string::npos);
  EXPECT_NE(reason("a=1\n").find("letters"), std::string::npos);
  EXPECT_NE(reason("aws:a=1").find("reserved"), std::string::npos);
  EXPECT_NE(reason(std::string(129, 'k') + "=1").find("128"), std::string::npos);
  EXPECT_NE(reason("k=" + std::string(257, 'v')).find("256"), std::string::npos);
  EXPECT_NE(reason("a=,b=,c=,d=,e=,f=,g=,h=,i=,j=,k=").find("ten"), std::string::npos);
  const char* error = nullptr;
  EXPECT_TRUE(CheckTags("a=,b=,c=,d=,e=,f=,g=,h=,i=,j=", &error));
  EXPECT_TRUE(CheckTags("", &error));
}

TEST(OptionCheck, NamesAreWhatTheSettingsAllow) {
  EXPECT_TRUE(IsStorageClass("") && IsStorageClass("STANDARD_IA") && IsStorageClass("GLACIER_IR"));
  EXPECT_FALSE(IsStorageClass("standard") || IsStorageClass("A B") || IsStorageClass("A\r\nB"));
  EXPECT_TRUE(IsEncryption("AES256") && IsEncryption("aws:kms") && IsEncryption(""));
  EXPECT_FALSE(IsEncryption("aes256") || IsEncryption("kms"));
  EXPECT_TRUE(IsKmsKeyId("arn:aws:kms:eu-west-1:1:key/abc") && IsKmsKeyId("alias/x"));
  EXPECT_FALSE(IsKmsKeyId("a b") || IsKmsKeyId("a\n") || IsKmsKeyId("\xc3\xa4"));
  EXPECT_TRUE(IsObjectLockMode("governance") && IsObjectLockMode("compliance"));
  EXPECT_FALSE(IsObjectLockMode("GOVERNANCE") || IsObjectLockMode("on"));
  EXPECT_TRUE(IsChecksumName("sha256") && IsChecksumName("crc32c") && IsChecksumName("crc64nvme"));
  EXPECT_FALSE(IsChecksumName("md5") || IsChecksumName("SHA256"));
}

TEST(ObjectOptions, SettingsThatAreWrongOrDoNotGoTogetherAreRefusedByName) {
  const auto refused = [](const char* setting, auto change) {
    S3Settings settings;
    change(settings);
    const Error error = ErrorOf([&] { ObjectOptions(settings).CheckForWriting(); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(error.message(), std::string("invalid value of pgbackup.") + setting);
    EXPECT_FALSE(error.hint().empty());
  };
  using S = S3Settings&;
  refused("s3_storage_class", [](S s) { s.storage_class = "x"; });
  refused("s3_sse", [](S s) { s.sse = "x"; });
  refused("s3_kms_key_id", [](S s) { s.kms_key_id = "key"; });
  refused("s3_kms_key_id", [](S s) { s.kms_key_id = "key", s.sse = "AES256"; });
  refused("s3_object_lock_mode", [](S s) { s.object_lock_mode = "x", s.object_lock_days = 1; });
  refused("s3_object_lock_days", [](S s) { s.object_lock_mode = "governance"; });
  refused("s3_object_lock_days", [](S s) { s.object_lock_days = 30; });
  refused("s3_checksum", [](S s) { s.checksum = "x"; });
  refused("s3_tags", [](S s) { s.tags = "x"; });
}

TEST(ObjectOptions, SettingsThatDoNotGoTogetherHinderNoReader) {
  FakeStore store;
  FakeEnvironment environment;
  const Cancellation cancellation;
  S3Settings settings;
  settings.endpoint = "http://store:9000";
  settings.object_lock_mode = "governance";
  S3Storage storage({"bucket", "p"}, settings, S3Limits{}, std::make_unique<FakeTransport>(store),
                    environment, cancellation);
  store.objects["p/x"].content = "content";
  EXPECT_EQ(ReadObjectText(storage, "x"), "content");
  EXPECT_EQ(ErrorOf([&] { WriteObject(storage, "y", "content"); }).kind(), ErrorKind::kInvalid);
}

TEST(ObjectOptions, WithoutSettingsNoHeaderIsAdded) {
  const ObjectOptions options{S3Settings()};
  EXPECT_TRUE(options.ForObject(WallTime{}).empty());
  EXPECT_TRUE(options.ForUpload().empty());
  EXPECT_TRUE(options.ForAll().empty());
  EXPECT_TRUE(options.Guard(AsBytes("x")).headers.empty());
  EXPECT_EQ(options.checksum_element(), nullptr);
}

TEST(ObjectOptions, TheLockCountsFromNow) {
  S3Settings settings;
  settings.object_lock_mode = "compliance";
  settings.object_lock_days = 30;
  const WallTime now{std::chrono::seconds(1'700'000'000)};  // 2023-11-14 22:13:20
  EXPECT_EQ(ObjectOptions(settings).ForObject(now),
            (HttpHeaders{{"x-amz-object-lock-mode", "COMPLIANCE"},
                         {"x-amz-object-lock-retain-until-date", "2023-12-14T22:13:20Z"}}));
}

TEST(ObjectOptions, ALockedObjectCarriesAnMd5UnlessItHasAChecksum) {
  S3Settings settings;
  settings.object_lock_mode = "governance";
  settings.object_lock_days = 1;
  EXPECT_EQ(ObjectOptions(settings).Guard(AsBytes("abc")).headers,
            (HttpHeaders{{"content-md5", "kAFQmDzST7DWlj99KOF/cg=="}}));
  settings.checksum = "crc32c";
  EXPECT_EQ(ObjectOptions(settings).Guard(AsBytes("abc")).headers,
            (HttpHeaders{{"x-amz-sdk-checksum-algorithm", "CRC32C"},
                         {"x-amz-checksum-crc32c", "Nks/tw=="}}));
}

TEST(ObjectOptions, ChecksumsAreBase64OfTheirBytes) {
  const auto guard = [](const char* checksum) {
    S3Settings settings;
    settings.checksum = checksum;
    return ObjectOptions(settings).Guard(AsBytes("123456789"));
  };
  EXPECT_EQ(guard("crc32c").checksum, "4waSgw==");
  EXPECT_EQ(guard("crc64nvme").checksum, "rosUhgp5mIg=");
  EXPECT_EQ(guard("sha256").checksum, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
  EXPECT_EQ(guard("sha256").payload_hash, ToHex(Sha256::Of("123456789")));
}

class S3ObjectOptionsTest : public ::testing::Test {
 protected:
  S3ObjectOptionsTest() {
    settings_.endpoint = "http://store:9000";
    settings_.part_size = kLeastPartSize;
  }

  S3Storage& storage() {
    if (!storage_)
      storage_ = std::make_unique<S3Storage>(S3Location{"bucket", "p"}, settings_, S3Limits{},
                                             std::make_unique<FakeTransport>(store_), environment_,
                                             cancellation_);
    return *storage_;
  }

  // Writes an object of one PUT and one of two parts, and looks at the requests.
  void WriteBoth() {
    WriteObject(storage(), "small", "123456789");
    WriteObject(storage(), "large", SomeBytes(kLeastPartSize + 1));
  }
  std::vector<SeenRequest> Seen(const std::string& method, const std::string& parameter) const {
    std::vector<SeenRequest> found;
    for (const SeenRequest& request : store_.seen)
      if (request.method == method &&
          (parameter.empty() ? request.query.empty() : request.Has(parameter)))
        found.push_back(request);
    return found;
  }
  SeenRequest Put() const { return Seen("PUT", "").at(0); }
  SeenRequest Create() const { return Seen("POST", "uploads").at(0); }
  std::vector<SeenRequest> Parts() const { return Seen("PUT", "partNumber"); }
  SeenRequest Complete() const { return Seen("POST", "uploadId").at(0); }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  S3Settings settings_;
  FakeStore store_;
  std::unique_ptr<S3Storage> storage_;
};

TEST_F(S3ObjectOptionsTest, ByDefaultNoRequestCarriesAnOption) {
  WriteBoth();
  for (const SeenRequest& request : store_.seen)
    for (const auto& [name, value] : request.headers)
      EXPECT_TRUE(name == "host" || name == "authorization" || name == "content-type" ||
                  name == "x-amz-date" || name == "x-amz-content-sha256" || name == kWriteIdHeader)
          << name;
}

TEST_F(S3ObjectOptionsTest, StorageClassEncryptionAndTagsGoToWhatMakesTheObject) {
  settings_.storage_class = "STANDARD_IA";
  settings_.sse = "aws:kms";
  settings_.kms_key_id = "alias/backup";
  settings_.tags = "team=data,purpose=nightly backup";
  WriteBoth();
  for (const SeenRequest& request : {Put(), Create()}) {
    EXPECT_EQ(request.Header("x-amz-storage-class"), "STANDARD_IA");
    EXPECT_EQ(request.Header("x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(request.Header("x-amz-server-side-encryption-aws-kms-key-id"), "alias/backup");
    EXPECT_EQ(request.Header("x-amz-tagging"), "team=data&purpose=nightly%20backup");
  }
  ASSERT_EQ(Parts().size(), 2u);
  for (const SeenRequest& request : {Parts()[0], Parts()[1], Complete()})
    for (const char* name : {"x-amz-storage-class", "x-amz-server-side-encryption",
                             "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-tagging"})
      EXPECT_EQ(request.Header(name), "") << name;
}

TEST_F(S3ObjectOptionsTest, EncryptionWithTheStoresOwnKeyNeedsNoKeyId) {
  settings_.sse = "AES256";
  WriteBoth();
  EXPECT_EQ(Put().Header("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(Create().headers.count("x-amz-server-side-encryption-aws-kms-key-id"), 0u);
}

TEST_F(S3ObjectOptionsTest, OptionsAreSigned) {
  settings_.storage_class = "STANDARD_IA";
  settings_.requester_pays = true;
  WriteBoth();
  const std::string authorization = Put().Header("authorization");
  EXPECT_NE(authorization.find("x-amz-storage-class"), std::string::npos);
  EXPECT_NE(authorization.find("x-amz-request-payer"), std::string::npos);
}

TEST_F(S3ObjectOptionsTest, LockedObjectsProveTheirBodies) {
  settings_.object_lock_mode = "governance";
  settings_.object_lock_days = 2;
  WriteBoth();
  for (const SeenRequest& request : {Put(), Create()}) {
    EXPECT_EQ(request.Header("x-amz-object-lock-mode"), "GOVERNANCE");
    EXPECT_EQ(request.Header("x-amz-object-lock-retain-until-date"), "2023-11-16T22:13:20Z");
  }
  EXPECT_EQ(Put().Header("content-md5"), "JfnnlDI7RTiF9RgfG2JNCw==");
  for (const SeenRequest& part : Parts()) {
    EXPECT_NE(part.Header("content-md5"), "");
    EXPECT_EQ(part.Header("x-amz-object-lock-mode"), "");
  }
}

TEST_F(S3ObjectOptionsTest, ChecksumsGoWithEveryBodyAndAreRepeatedAtTheEnd) {
  const std::string content = SomeBytes(kLeastPartSize + 1);
  for (const auto& [name, algorithm, header, element] : std::vector<std::array<std::string, 4>>{
           {"sha256", "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256"},
           {"crc32c", "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"},
           {"crc64nvme", "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"}}) {
    settings_.checksum = name;
    storage_.reset();
    store_.seen.clear();
    WriteBoth();
    const ObjectOptions options(settings_);
    EXPECT_EQ(Put().Header(header), options.Guard(AsBytes("123456789")).checksum);
    EXPECT_EQ(Create().Header("x-amz-checksum-algorithm"), algorithm);
    ASSERT_EQ(Parts().size(), 2u);
    for (const SeenRequest& part : Parts()) {
      const std::string_view bytes = part.query.at("partNumber") == "1"
                                         ? std::string_view(content).substr(0, kLeastPartSize)
                                         : std::string_view(content).substr(kLeastPartSize);
      const std::string checksum = options.Guard(AsBytes(bytes)).checksum;
      EXPECT_EQ(part.Header(header), checksum);
      const std::string repeated = "<" + element + ">" + checksum + "</" + element + ">";
      EXPECT_NE(store_.last_complete.find(repeated), std::string::npos) << store_.last_complete;
    }
  }
}

TEST_F(S3ObjectOptionsTest, WhoAsksPaysForEveryRequestAndForPresignedOnes) {
  settings_.requester_pays = true;
  WriteBoth();
  ReadObjectText(storage(), "large");
  ListNames(storage(), "");
  RemoveEverything(storage(), "none/");
  for (const SeenRequest& request : store_.seen)
    EXPECT_EQ(request.Header("x-amz-request-payer"), "requester") << request.method;
  EXPECT_NE(storage().Presign("small", 60).find("x-amz-request-payer=requester"),
            std::string::npos);
}

class S3ObjectLockTest : public S3ObjectOptionsTest {
 protected:
  // The store says on HEAD that everything is locked until `until`.
  void LockAll(const std::string& mode, const std::string& until) {
    store_.before = [=](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.method != "HEAD") return std::nullopt;
      return Answer(200, "",
                    {{"content-length", "1"},
                     {"x-amz-object-lock-mode", mode},
                     {"x-amz-object-lock-retain-until-date", until}});
    };
  }
};

TEST_F(S3ObjectLockTest, ALockedBackupIsNotSweptAndTheErrorNamesTheLock) {
  WriteObject(storage(), "b/manifest.json", "{}");
  WriteObject(storage(), "b/data-000.dump", "content");
  LockAll("COMPLIANCE", "2023-11-15T00:00:00Z");
  const Error error = ErrorOf([&] { SweepFolder(storage(), "b"); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(error.message(),
            "could not delete s3://bucket/p/b/manifest.json: its object lock (COMPLIANCE) lasts "
            "until 2023-11-15T00:00:00Z");
  EXPECT_EQ(store_.objects.size(), 2u);
}

TEST_F(S3ObjectLockTest, ALockThatHasEndedIsNoObstacle) {
  settings_.object_lock_mode = "governance";
  settings_.object_lock_days = 1;
  WriteObject(storage(), "b/manifest.json", "{}");
  WriteObject(storage(), "b/data-000.dump", "content");
  LockAll("GOVERNANCE", "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(SweepFolder(storage(), "b").objects, 2u);
  EXPECT_TRUE(store_.objects.empty());
}

TEST_F(S3ObjectLockTest, WithLocksEveryObjectIsLookedAtBeforeItIsDeleted) {
  settings_.object_lock_mode = "governance";
  settings_.object_lock_days = 1;
  WriteObject(storage(), "b/data-000.dump", "content");
  LockAll("GOVERNANCE", "2023-11-15T00:00:00Z");
  EXPECT_EQ(ErrorOf([&] { storage().Delete("b/data-000.dump"); }).message(),
            "could not delete s3://bucket/p/b/data-000.dump: its object lock (GOVERNANCE) lasts "
            "until 2023-11-15T00:00:00Z");
  EXPECT_EQ(store_.Count("DELETE"), 0u);
}

TEST_F(S3ObjectLockTest, ALegalHoldIsNamedToo) {
  WriteObject(storage(), "b/manifest.json", "{}");
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "HEAD") return std::nullopt;
    return Answer(200, "", {{"content-length", "1"}, {"x-amz-object-lock-legal-hold", "ON"}});
  };
  EXPECT_EQ(ErrorOf([&] { SweepFolder(storage(), "b"); }).message(),
            "could not delete s3://bucket/p/b/manifest.json: it is under a legal hold");
}

TEST_F(S3ObjectLockTest, TheStoresOwnRefusalsAreUnderstood) {
  const auto refuse = [&](int status, const std::string& code, const std::string& message) {
    store_.before = [=](const SeenRequest&) {
      return std::optional(Answer(
          status, "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"));
    };
    return ErrorOf([&] { storage().Delete("x"); });
  };
  for (const auto& [code, message] : std::vector<std::pair<const char*, const char*>>{
           {"AccessDenied", "Access Denied because object protected by object lock."},
           {"ObjectLocked", "Object is WORM protected and cannot be overwritten"}}) {
    const Error error = refuse(403, code, message);
    EXPECT_EQ(error.kind(), ErrorKind::kDenied);
    EXPECT_EQ(error.message(), "could not delete s3://bucket/p/x: its object lock has not ended");
  }
  const Error error = refuse(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.hint().find("pgbackup.s3_object_lock_mode"), std::string::npos);
}

}  // namespace
}  // namespace pgbackup
