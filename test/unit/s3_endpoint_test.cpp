#include "core/s3/endpoint.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace pgbackup {
namespace {

std::string UrlOf(const std::string& endpoint, const std::string& path_style,
                  const std::string& bucket, const std::string& key,
                  const std::string& region = "us-east-1") {
  S3Settings settings;
  settings.endpoint = endpoint;
  settings.path_style = path_style;
  const Endpoint where(settings, bucket, region);
  return where.Origin() + where.Path(key);
}

TEST(S3Endpoint, OnAwsTheBucketIsPartOfTheHostName) {
  EXPECT_EQ(UrlOf("", "", "bucket", "a/b", "eu-central-1"),
            "https://bucket.s3.eu-central-1.amazonaws.com/a/b");
  EXPECT_EQ(UrlOf("", "auto", "bucket", ""), "https://bucket.s3.us-east-1.amazonaws.com/");
  EXPECT_EQ(UrlOf("", "", "bucket", "k", "cn-north-1"),
            "https://bucket.s3.cn-north-1.amazonaws.com.cn/k");
}

TEST(S3Endpoint, ABucketThatIsNoHostLabelGoesIntoThePath) {
  EXPECT_EQ(UrlOf("", "", "my.bucket", "k"), "https://s3.us-east-1.amazonaws.com/my.bucket/k");
  EXPECT_EQ(UrlOf("", "", "My_Bucket", "k"), "https://s3.us-east-1.amazonaws.com/My_Bucket/k");
}

TEST(S3Endpoint, ACustomEndpointUsesThePathUnlessTold) {
  EXPECT_EQ(UrlOf("http://127.0.0.1:9000", "", "bucket", "k"), "http://127.0.0.1:9000/bucket/k");
  EXPECT_EQ(UrlOf("https://store/", "auto", "bucket", ""), "https://store/bucket");
  EXPECT_EQ(UrlOf("https://store:8443", "off", "bucket", "k"), "https://bucket.store:8443/k");
  EXPECT_EQ(UrlOf("http://[::1]:9000", "", "bucket", "k"), "http://[::1]:9000/bucket/k");
  EXPECT_EQ(UrlOf("", "on", "bucket", "k"), "https://s3.us-east-1.amazonaws.com/bucket/k");
}

TEST(S3Endpoint, TheDefaultPortIsNotPartOfTheSignedHost) {
  EXPECT_EQ(UrlOf("https://store:443", "", "bucket", "k"), "https://store/bucket/k");
  EXPECT_EQ(UrlOf("http://store:80", "", "bucket", "k"), "http://store/bucket/k");
  EXPECT_EQ(UrlOf("http://store:443", "", "bucket", "k"), "http://store:443/bucket/k");
}

TEST(S3Endpoint, KeysAreEncodedButForTheirSlashes) {
  EXPECT_EQ(UrlOf("http://store", "", "bucket", "a b/c+d%/ä=?#"),
            "http://store/bucket/a%20b/c%2Bd%25/%C3%A4%3D%3F%23");
}

TEST(S3Endpoint, AnotherRegionIsAnotherHostOnAwsOnly) {
  S3Settings settings;
  EXPECT_EQ(Endpoint(settings, "bucket", "us-east-1").InRegion("eu-west-3").Origin(),
            "https://bucket.s3.eu-west-3.amazonaws.com");
  settings.endpoint = "http://store";
  const Endpoint moved = Endpoint(settings, "bucket", "us-east-1").InRegion("moon");
  EXPECT_EQ(moved.Origin(), "http://store");
  EXPECT_EQ(moved.region(), "moon");
}

TEST(S3Endpoint, RefusesWhatIsNoHostAndPort) {
  for (const char* endpoint : {"store",
                               "ftp://store",
                               "http://",
                               "https:///",
                               "http://:9000",
                               "http://store:",
                               "http://store:0",
                               "http://store:65536",
                               "http://store:9000:80",
                               "http://store:80:80",
                               "http://store:+80",
                               "http://key:secret@store",
                               "http://store/path",
                               "http://store?x",
                               "http://store#x",
                               "http://a store",
                               "http://st\\ore",
                               "http://st\nore",
                               "http://[::1",
                               "http://[::1]x",
                               "http://::1",
                               "http://[]",
                               "http://st%6fre",
                               "http://st\xc3\xb6re"})
    EXPECT_THROW(UrlOf(endpoint, "", "bucket", "k"), Error) << endpoint;
}

TEST(S3Endpoint, KnowsTheNameOfARegion) {
  for (const char* name : {"us-east-1", "default", "Moon_2"}) EXPECT_TRUE(IsRegionName(name));
  for (const char* name : {"a.b", "a/b", "a\r\nb", "a b", "\xc3\xa4"})
    EXPECT_FALSE(IsRegionName(name)) << name;
}

}  // namespace
}  // namespace pgbackup
