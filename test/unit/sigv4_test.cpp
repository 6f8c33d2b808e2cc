// The examples AWS publishes: those of the S3 API reference ("Signature Calculations for the
// Authorization Header", "… Using Query Parameters") and of the aws-sig-v4-test-suite.
#include "core/aws/sigv4.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

const WallTime kS3Time{std::chrono::seconds(1369353600)};     // 2013-05-24 00:00:00
const WallTime kSuiteTime{std::chrono::seconds(1440938160)};  // 2015-08-30 12:36:00

Signer S3Signer() {
  return Signer({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"});
}

SigningRequest S3Request(const std::string& path, NameValues query = {}) {
  SigningRequest request;
  request.method = "GET";
  request.path = path;
  request.query = std::move(query);
  request.payload_hash = kEmptyPayloadHash;
  request.headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                     {"x-amz-content-sha256", std::string(kEmptyPayloadHash)},
                     {"x-amz-date", "20130524T000000Z"}};
  return request;
}

std::string SignatureOf(const std::string& authorization) {
  return authorization.substr(authorization.find("Signature=") + 10);
}

std::string S3Signature(const SigningRequest& request) {
  return SignatureOf(S3Signer().Authorization(request, kS3Time));
}

TEST(SigV4, SignsTheGetObjectExampleOfTheS3Reference) {
  SigningRequest request = S3Request("/test.txt");
  request.headers.emplace_back("Range", "bytes=0-9");
  EXPECT_EQ(S3Signer().Authorization(request, kS3Time),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, SignsThePutObjectExampleOfTheS3Reference) {
  SigningRequest request = S3Request("/" + PercentEncode("test$file.text"));
  request.method = "PUT";
  request.payload_hash = ToHex(Sha256::Of("Welcome to Amazon S3."));
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                     {"Host", "examplebucket.s3.amazonaws.com"},
                     {"x-amz-date", "20130524T000000Z"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                     {"x-amz-content-sha256", request.payload_hash}};
  EXPECT_EQ(S3Signature(request),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, SignsAParameterWithoutAValue) {
  EXPECT_EQ(S3Signature(S3Request("/", {{"lifecycle", ""}})),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4, SignsTheListObjectsExampleOfTheS3Reference) {
  EXPECT_EQ(S3Signature(S3Request("/", {{"prefix", "J"}, {"max-keys", "2"}})),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, PresignsTheExampleOfTheS3Reference) {
  SigningRequest request = S3Request("/test.txt");
  request.headers = {{"Host", "examplebucket.s3.amazonaws.com"}};
  EXPECT_EQ(S3Signer().PresignedQuery(request, "", kS3Time, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

struct SuiteCase {
  const char* name;
  const char* method;
  std::string path;
  NameValues query;
  NameValues headers;
  std::string payload;
  const char* signature;
};

TEST(SigV4, SignsTheCasesOfTheTestSuite) {
  const std::string unreserved =
      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::vector<SuiteCase> cases = {
      {"get-vanilla",
       "GET",
       "/",
       {},
       {},
       "",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla",
       "POST",
       "/",
       {},
       {},
       "",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-unreserved",
       "GET",
       unreserved,
       {},
       {},
       "",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/ሴ",
       {},
       {},
       "",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space-unnormalized",
       "GET",
       "/example space/",
       {},
       {},
       "",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-slashes-unnormalized",
       "GET",
       "//example//",
       {},
       {},
       "",
       "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/",
       {{"Param2", "value2"}, {"Param1", "value1"}},
       {},
       "",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-order-encoded",
       "GET",
       "/",
       {{"Param-3", "Value3"}, {"Param", "Value2"}, {"ሴ", "Value1"}},
       {},
       "",
       "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
      {"get-vanilla-utf8-query",
       "GET",
       "/",
       {{"ሴ", "bar"}},
       {},
       "",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/",
       {{"Param1", "value1"}},
       {},
       "",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {},
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-trim",
       "GET",
       "/",
       {},
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-header-value-case",
       "POST",
       "/",
       {},
       {{"My-Header1", "VALUE1"}},
       "",
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {},
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"post-sts-header-before",
       "POST",
       "/",
       {},
       {{"X-Amz-Security-Token",
         "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmx"
         "fpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0K"
         "PkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZb"
         "qBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="}},
       "",
       "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"}};
  Signer signer(
      {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"});
  for (const SuiteCase& each : cases) {
    SigningRequest request;
    request.method = each.method;
    request.path = PercentEncode(each.path, true);
    request.query = each.query;
    request.headers = each.headers;
    request.headers.emplace_back("Host", "example.amazonaws.com");
    request.headers.emplace_back("X-Amz-Date", AmzDate(kSuiteTime));
    request.payload_hash = ToHex(Sha256::Of(each.payload));
    EXPECT_EQ(SignatureOf(signer.Authorization(request, kSuiteTime)), each.signature) << each.name;
  }
}

TEST(SigV4, AKeyIsForOneDayOnly) {
  Signer reused = S3Signer();
  const SigningRequest request = S3Request("/test.txt");
  const WallTime next_day = kS3Time + std::chrono::hours(24);
  reused.Authorization(request, kS3Time);
  EXPECT_EQ(reused.Authorization(request, next_day), S3Signer().Authorization(request, next_day));
  EXPECT_NE(reused.Authorization(request, next_day), S3Signer().Authorization(request, kS3Time));
}

TEST(SigV4, WritesDatesInUtc) {
  EXPECT_EQ(AmzDate(kS3Time + std::chrono::milliseconds(999)), "20130524T000000Z");
  EXPECT_EQ(AmzDate(kSuiteTime), "20150830T123600Z");
}

TEST(SigV4, EncodesEveryByteButTheUnreserved) {
  EXPECT_EQ(PercentEncode("Az09-._~"), "Az09-._~");
  EXPECT_EQ(PercentEncode(" +/=%&'()*!\"\\"), "%20%2B%2F%3D%25%26%27%28%29%2A%21%22%5C");
  EXPECT_EQ(PercentEncode("a/ä", true), "a/%C3%A4");
  EXPECT_EQ(PercentEncode(std::string("\0\xff", 2)), "%00%FF");
}

TEST(SigV4, DecodesWhatWasEncoded) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(PercentDecode("a+b%2bc"), "a+b+c");
  EXPECT_EQ(PercentDecode("a+b%2bc", true), "a b+c");
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
}

}  // namespace
}  // namespace pgbackup
