#include "shared/storage_parameters.h"

#include <gtest/gtest.h>

#include <string>

#include "core/storage_backends/open_storage.h"
#include "storage_url_test_support.h"

namespace pgbackup {
namespace {

std::string ErrorOfUrl(const std::string& text) {
  StorageUrl url;
  const char* error = "";
  EXPECT_FALSE(ParseStorageUrl(text, &url, &error)) << text;
  return error;
}

TEST(StorageParameters, StandInForTheSettings) {
  S3Settings settings;
  settings.endpoint = "https://one.example.com";
  settings.region = "one";
  settings.sse = "AES256";
  settings.checksum = "sha256";
  settings.object_lock_mode = "governance";
  settings.object_lock_days = 3;
  const S3Settings result = WithParameters(
      settings,
      Parsed("s3://bucket/p?endpoint=http%3A%2F%2F127.0.0.1:9000&region=eu-1&path_style=on"
             "&profile=off+site%20%C3%BC&credentials_file=/etc/a%2Cb&ca_file=/etc/ca.pem"
             "&storage_class=GLACIER_IR&sse=&kms_key_id=alias/x&object_lock_mode="
             "&object_lock_days=&tags=team%3Ddata%2Cx%3Dy"));
  EXPECT_EQ(result.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(result.region, "eu-1");
  EXPECT_EQ(result.path_style, "on");
  EXPECT_EQ(result.profile, "off+site ü");
  EXPECT_EQ(result.credentials_file, "/etc/a,b");
  EXPECT_EQ(result.ca_file, "/etc/ca.pem");
  EXPECT_EQ(result.storage_class, "GLACIER_IR");
  EXPECT_EQ(result.sse, "") << "an empty value is no value, whatever the setting says";
  EXPECT_EQ(result.kms_key_id, "alias/x");
  EXPECT_EQ(result.object_lock_mode, "");
  EXPECT_EQ(result.object_lock_days, 0u);
  EXPECT_EQ(result.tags, "team=data,x=y");
  EXPECT_EQ(result.checksum, "sha256") << "what the URL does not name is as the settings say";
}

TEST(StorageParameters, LeaveBucketAndPrefixAlone) {
  for (const char* text : {"s3://bucket/a/b?region=x", "s3://bucket/a/b/?region=x"}) {
    EXPECT_EQ(Parsed(text).bucket, "bucket");
    EXPECT_EQ(Parsed(text).prefix, "a/b");
    EXPECT_EQ(Parsed(text).parameters, "region=x");
  }
  EXPECT_EQ(Parsed("s3://bucket?region=a").bucket, "bucket");
  EXPECT_EQ(Parsed("s3://bucket/p?credentials_file=/a/../b").prefix, "p");
  EXPECT_EQ(Parsed("s3://bucket/p?").parameters, "");
}

TEST(StorageParameters, AreRefusedWithAReason) {
  const struct {
    const char* parameters;
    const char* reason;
  } kTable[] = {
      {"secret_access_key=x", "not known"},
      {"Region=x", "not known"},
      {"=x", "not known"},
      {"region=a&region=a", "twice"},
      {"region=a&endpoint=&region=b", "twice"},
      {"region", "key=value"},
      {"region=a&", "ends with"},
      {"&region=a", "not known"},
      {"region=a&&sse=", "not known"},
      {"profile=%", "percent-encoded"},
      {"profile=%4", "percent-encoded"},
      {"profile=%4x", "percent-encoded"},
      {"profile=%00", "control character"},
      {"profile=%0A", "control character"},
      {"endpoint=host:9000", "endpoint"},
      {"endpoint=http://key:secret@host", "endpoint"},
      {"endpoint=http%3A%2F%2Fkey%3Asecret%40host", "endpoint"},
      {"region=eu west", "region"},
      {"path_style=maybe", "path_style"},
      {"credentials_file=relative", "credentials_file"},
      {"ca_file=relative", "ca_file"},
      {"storage_class=standard", "storage_class"},
      {"sse=aes", "sse"},
      {"kms_key_id=my%20key", "kms_key_id"},
      {"object_lock_mode=strict", "object_lock_mode"},
      {"object_lock_days=x", "object_lock_days"},
      {"object_lock_days=36501", "a whole number, 36500 at most"},
      {"object_lock_days=99999999999999999999", "object_lock_days"},
      {"checksum=md5", "checksum"},
      {"tags=team", "tags"},
  };
  for (const auto& [parameters, reason] : kTable) {
    const std::string error = ErrorOfUrl(std::string("s3://bucket/p?") + parameters);
    EXPECT_NE(error.find(reason), std::string::npos) << parameters << ": " << error;
    EXPECT_EQ(error.find("key:secret"), std::string::npos);
    EXPECT_EQ(error.back(), '.');
  }
  const std::string long_value(5000, 'x');
  EXPECT_NE(ErrorOfUrl("s3://bucket?profile=" + long_value).find("too long"), std::string::npos);
  EXPECT_NE(ErrorOfUrl("file:///a?region=x").find("no parameters"), std::string::npos);
}

TEST(StorageUrl, KnowsTheSamePlace) {
  const auto same = [](const char* one, const char* other) {
    return IsSamePlace(Parsed(one), Parsed(other), "https://default");
  };
  EXPECT_TRUE(same("file:///a", "file:///a/"));
  EXPECT_FALSE(same("file:///a", "file:///a/b"));
  EXPECT_FALSE(same("file:///bucket", "s3://bucket"));
  EXPECT_TRUE(same("s3://bucket/p", "s3://bucket/p/?profile=x&region=y"));
  EXPECT_TRUE(same("s3://bucket/p", "s3://bucket/p?endpoint=https://default/"));
  EXPECT_TRUE(same("s3://bucket?endpoint=https://x", "s3://bucket?endpoint=https%3A//x"));
  EXPECT_FALSE(same("s3://bucket/p", "s3://bucket/p?endpoint=https://x"));
  EXPECT_FALSE(same("s3://bucket/p", "s3://bucket/p?endpoint="));
  EXPECT_FALSE(same("s3://bucket/p", "s3://bucket/q"));
}

TEST(StorageList, IsReadOneByOne) {
  std::string_view rest = "file:///a , s3://bucket/p?tags=a%3Db%2Cc%3Dd,s3://other";
  std::string_view url;
  std::string all;
  while (NextStorage(&rest, &url)) all += std::string(url) + "|";
  EXPECT_EQ(all, "file:///a|s3://bucket/p?tags=a%3Db%2Cc%3Dd|s3://other|");
  const char* error = nullptr;
  for (const char* good : {"", "file:///a", "file:///a, file:///b", "s3://bucket,s3://bucket/x",
                           "s3://bucket,s3://bucket?endpoint=https://x"})
    EXPECT_TRUE(CheckStorageList(good, &error)) << good << ": " << error;
  for (const char* bad :
       {",", "file:///a,", ",file:///a", "file:///a,,file:///b", " ", "file:///a,file:///a/",
        "file:///a,nothing", "s3://bucket,file:///a,s3://bucket/?region=x"})
    EXPECT_FALSE(CheckStorageList(bad, &error)) << bad;
}

}  // namespace
}  // namespace pgbackup
