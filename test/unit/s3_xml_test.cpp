#include "core/s3/s3_xml.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(S3Xml, ReadsAnError) {
  const S3ErrorBody error = ParseErrorBody(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>a "
      "&amp; "
      "b</Message><RequestId>tx1</RequestId><Region>eu-west-1</Region></Error>");
  EXPECT_EQ(error.code, "NoSuchBucket");
  EXPECT_EQ(error.message, "a & b");
  EXPECT_EQ(error.request_id, "tx1");
  EXPECT_EQ(error.region, "eu-west-1");
}

TEST(S3Xml, TakesNonsenseForNoError) {
  for (const char* body : {"", "<html><Code>x</Code></html>", "<Error", "Bad Gateway", "<a></b>"})
    EXPECT_EQ(ParseErrorBody(body).code, "") << body;
}

TEST(S3Xml, ADocumentHasOneRoot) {
  const std::string_view both =
      "<Error><Code>SlowDown</Code></Error><CompleteMultipartUploadResult/>";
  EXPECT_EQ(ParseErrorBody(both).code, "SlowDown");
  EXPECT_FALSE(IsCompleteResult(both));
}

TEST(S3Xml, ReadsAPageOfObjects) {
  const ObjectPage page = ParseObjectPage(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=</NextContinuationToken>"
      "<Contents><Key>a&amp;b+c</Key><Size>123456789012</Size></Contents>"
      "<Contents><Key> </Key><Size>0</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page.valid);
  EXPECT_EQ(page.next_token, "a+/=");
  ASSERT_EQ(page.objects.size(), 2u);
  EXPECT_EQ(page.objects[0].key, "a&b+c");
  EXPECT_EQ(page.objects[0].size, 123456789012u);
  EXPECT_EQ(page.objects[1].key, " ");
}

TEST(S3Xml, DecodesKeysThatWereAskedForEncodedWhenTheStoreSaysTheyAre) {
  constexpr char xml[] =
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
      "<NextContinuationToken>ignored</NextContinuationToken>"
      "<Contents><Key>a+b%20c%2Bd%25/%E6%95%B0</Key></Contents></ListBucketResult>";
  const ObjectPage page = ParseObjectPage(xml, Keys::kEncoded);
  EXPECT_EQ(page.next_token, "");
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].key, "a b c+d%/数");
  // Nobody has asked for that: the store says it of every listing.
  EXPECT_EQ(ParseObjectPage(xml).objects.at(0).key, "a+b%20c%2Bd%25/%E6%95%B0");
}

TEST(S3Xml, ReadsAPageOfUploads) {
  const UploadPage page = ParseUploadPage(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
      "<Upload><Key>k</Key><UploadId>u.1</UploadId></Upload></ListMultipartUploadsResult>");
  ASSERT_TRUE(page.valid);
  EXPECT_TRUE(page.truncated);
  ASSERT_EQ(page.uploads.size(), 1u);
  EXPECT_EQ(page.uploads[0].key, "k");
  EXPECT_EQ(page.uploads[0].upload_id, "u.1");
}

TEST(S3Xml, DoesNotTakeAWebPageForAnEmptyListing) {
  EXPECT_FALSE(ParseObjectPage("<html><body>Welcome</body></html>").valid);
  EXPECT_FALSE(ParseObjectPage("").valid);
  EXPECT_FALSE(ParseUploadPage("<ListBucketResult/>").valid);
  EXPECT_EQ(ParseUploadId("<html/>"), "");
}

TEST(S3Xml, KnowsACompletedUpload) {
  EXPECT_TRUE(
      IsCompleteResult("\n  <CompleteMultipartUploadResult><ETag>x</ETag>"
                       "</CompleteMultipartUploadResult>"));
  EXPECT_FALSE(IsCompleteResult("<Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(IsCompleteResult(""));
}

TEST(S3Xml, WritesPartsInOrder) {
  EXPECT_EQ(CompleteBody({{2, {"\"b&\"", ""}}, {1, {"\"a\"", ""}}}, nullptr),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>\"b&amp;\"</ETag></Part>"
            "</CompleteMultipartUpload>");
  EXPECT_EQ(CompleteBody({{1, {"\"a\"", "4waSgw=="}}}, "ChecksumCRC32C"),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag>"
            "<ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace pgbackup
