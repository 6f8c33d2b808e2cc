#include "shared/storage_url.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/storage/storage.h"
#include "core/storage_backends/open_storage.h"
#include "storage_test_support.h"
#include "storage_url_test_support.h"

namespace pgbackup {
namespace {

TEST(StorageUrl, TakesADirectory) {
  EXPECT_EQ(Parsed("file:///var/backups").path, "/var/backups");
  EXPECT_EQ(Parsed("file:///var/backups///").path, "/var/backups");
  EXPECT_EQ(Parsed("file:///with space/ü%20#").path, "/with space/ü%20#");
  EXPECT_EQ(Parsed("file:///a").scheme, StorageScheme::kFile);
}

TEST(StorageUrl, TakesABucketWithAndWithoutPrefix) {
  EXPECT_EQ(Parsed("s3://bucket").bucket, "bucket");
  EXPECT_EQ(Parsed("s3://bucket").prefix, "");
  EXPECT_EQ(Parsed("s3://bucket/").prefix, "");
  EXPECT_EQ(Parsed("s3://bucket//").prefix, "");
  EXPECT_EQ(Parsed("s3://bucket/a/b c/").prefix, "a/b c");
  EXPECT_EQ(Parsed("s3://my.Bucket_1/x").bucket, "my.Bucket_1");
  EXPECT_EQ(Parsed("s3://bucket").scheme, StorageScheme::kS3);
}

TEST(StorageUrl, RefusesWhatItCannotMean) {
  for (const char* text :
       {"",
        "file",
        "file:",
        "file://",
        "file:///",
        "file:////",
        "file://relative",
        "file://./x",
        "file:///a/../b",
        "file:///a/./b",
        "file:///..",
        "/var/backups",
        "http://host/x",
        "S3://bucket",
        "s3:bucket",
        "s3://",
        "s3:///prefix",
        "s3://ab",
        "s3://bucket/a//b",
        "s3://bucket/../x",
        "s3://bucket/.",
        "s3://bucket?x=1",
        "file:///a?region=x",
        "file:///a?",
        "s3://bucket/x#y",
        "s3://buc ket",
        "s3://-bucket",
        "s3://bucket.",
        "s3://buc..ket",
        "s3://bucket\n/x",
        "file:///a\x7f",
        " s3://bucket",
        "s3://0123456789012345678901234567890123456789012345678901234567890123"}) {
    StorageUrl url;
    const char* error = nullptr;
    EXPECT_FALSE(ParseStorageUrl(text, &url, &error)) << text;
    ASSERT_NE(error, nullptr) << text;
    EXPECT_EQ(std::string(error).back(), '.') << error;
  }
}

TEST(StorageUrl, RefusesCredentialsWithoutRepeatingThem) {
  StorageUrl url;
  const char* error = nullptr;
  EXPECT_FALSE(ParseStorageUrl("s3://AKIA:secret@bucket/x", &url, &error));
  EXPECT_NE(std::string(error).find("credentials"), std::string::npos);
  const auto environment = SystemEnvironment();
  const Cancellation cancellation;
  StorageSettings settings;
  settings.url = "s3://AKIA:secret@bucket/x";
  const Error refused = ErrorOf([&] { OpenStorage(settings, *environment, cancellation); });
  EXPECT_EQ(refused.kind(), ErrorKind::kInvalid);
  EXPECT_EQ((refused.message() + refused.detail() + refused.hint()).find("secret@"),
            std::string::npos);
}

TEST(StorageUrl, OpeningRefusesBadSettingsAndTouchesNothing) {
  const auto environment = SystemEnvironment();
  const Cancellation cancellation;
  const auto kind_of = [&](auto change) {
    StorageSettings settings;
    settings.url = "s3://bucket";
    change(settings);
    const Error error = ErrorOf([&] { OpenStorage(settings, *environment, cancellation); });
    EXPECT_FALSE(error.hint().empty() && error.detail().empty()) << error.message();
    return error.kind();
  };
  using S = StorageSettings&;
  EXPECT_EQ(kind_of([](S s) { s.s3.endpoint = "127.0.0.1:9000"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.endpoint = "http://"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.endpoint = "http://key:secret@host"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.endpoint = "http://host/path"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.path_style = "maybe"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.region = "eu west"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.part_size = 1000; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.part_size = 6ull << 30; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.concurrency = 0; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of([](S s) { s.s3.concurrency = 17; }), ErrorKind::kInvalid);
  StorageSettings good;
  good.url = "s3://bucket/prefix/";
  good.s3.credentials_file = "/does/not/exist";
  good.s3.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(OpenStorage(good, *environment, cancellation)->url(), "s3://bucket/prefix");
  good.url = "file:///does/not/exist/";
  EXPECT_EQ(OpenStorage(good, *environment, cancellation)->url(), "file:///does/not/exist");
}

TEST(ObjectName, AllowsUtf8PartsAndNothingElse) {
  for (const char* name :
       {"a", "a/b", "...", "a.b", ".a", "a..", "ä/数据/😀", " ", "a b", "\\", "%"})
    EXPECT_TRUE(IsValidObjectName(name)) << name;
  for (const char* name :
       {"", "/", "a/", "/a", "a//b", ".", "..", "a/.", "../a", "a/../b", "\t", "a\x7f", "\x80",
        "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8", "\xf0\x9f\x98"})
    EXPECT_FALSE(IsValidObjectName(name)) << name;
  EXPECT_FALSE(IsValidObjectName(std::string("a\0b", 3)));
  EXPECT_TRUE(IsValidObjectName(std::string(1024, 'x')));
  EXPECT_FALSE(IsValidObjectName(std::string(1025, 'x')));
}

}  // namespace
}  // namespace pgbackup
