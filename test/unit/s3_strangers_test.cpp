// What else answers where an S3 store should be: web servers, consoles, firewalls, login portals.
#include <gtest/gtest.h>

#include "core/http/web_page.h"
#include "s3_storage_test_support.h"

namespace pgbackup {
namespace {

const HttpHeaders kHtml = {{"content-type", "text/html; charset=utf-8"}};

std::string Page(const std::string& title, const std::string& words) {
  return "<!DOCTYPE html>\n<html><head><title>" + title +
         "</title><style>h1 { color: red }</style></head><body class=\"a\"><h1>" + words +
         "</h1></body></html>";
}

class S3StrangersTest : public S3StoreFixture {
 protected:
  // Every request is answered so.
  void AnswerAll(int status, const std::string& body, const HttpHeaders& headers) {
    store_.before = Times(-1, Always, [=] { return Answer(status, body, headers); });
  }
  Error WriteError() {
    return ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  }
};

TEST(WebPage, IsKnownByItsBodyOrItsType) {
  for (const char* body : {"<!doctype html><p>", "\n <HTML>", "\xEF\xBB\xBF<html lang='en'>"})
    EXPECT_TRUE(IsWebPage(Answer(200, body), false)) << body;
  EXPECT_TRUE(IsWebPage(Answer(200, "Welcome", kHtml), false));
  EXPECT_TRUE(IsWebPage(Answer(200, "", kHtml), true));
  EXPECT_FALSE(IsWebPage(Answer(200, "", kHtml), false));  // some stores say so of nothing
  EXPECT_FALSE(
      IsWebPage(Answer(200, "", {{"content-type", "text/html"}, {"x-amz-id-2", "1"}}), true));
  for (const char* body : {"", "<Error/>", "<?xml version='1.0'?><Error/>", "html"})
    EXPECT_FALSE(IsWebPage(Answer(200, body), false)) << body;
}

TEST(WebPage, TheFirstWordsAreThoseThatPeopleSee) {
  EXPECT_EQ(FirstWords(Page("301 Moved", "Moved\r\n  permanently")), "301 Moved Moved permanently");
  EXPECT_EQ(FirstWords("<html><script>if (a < b) { x(); }</script>Sign in"), "Sign in");
  EXPECT_EQ(FirstWords("plain\ttext\x01"), "plain text");
  EXPECT_EQ(FirstWords("<html><p"), "");
  EXPECT_EQ(FirstWords(""), "");
  EXPECT_EQ(FirstWords(std::string(1000, 'x')), std::string(120, 'x') + "…");
}

TEST_F(S3StrangersTest, AConsoleIsNoStoreWhateverIsAsked) {
  AnswerAll(200, Page("Store Console", "Sign in"), kHtml);
  const auto actions = std::vector<std::function<void()>>{
      [&] { ListNames(storage(), ""); }, [&] { storage().Head("x"); },
      [&] { ReadObjectText(storage(), "x"); }, [&] { WriteObject(storage(), "x", "content"); },
      [&] { storage().Delete("x"); }};
  for (const auto& action : actions) {
    const Error error = ErrorOf(action);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.message().find(": http://store:9000 answered with a web page"),
              std::string::npos)
        << error.message();
    EXPECT_NE(error.hint().find("console"), std::string::npos) << error.hint();
  }
  EXPECT_EQ(store_.seen.size(), actions.size());  // none is tried again
  EXPECT_EQ(WriteError().detail(),
            "The store answered HTTP status 200, \"Store Console Sign in\".");
}

TEST_F(S3StrangersTest, AConditionalWriteIsNotRefusedByAPage) {
  AnswerAll(200, Page("Sign in", "Welcome"), {kHtml[0], {"etag", "\"x\""}});
  PutOptions options;
  options.if_absent = true;
  const Error error = ErrorOf([&] { WriteObject(storage(), "manifest.json", "{}", options); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
}

TEST_F(S3StrangersTest, InThePlaceOfAStoreThatHasAnsweredAPageMayPass) {
  WriteObject(storage(), "first", "contact");
  store_.before = Times(2, Always, [] { return Answer(200, Page("Sign in", "Welcome"), kHtml); });
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.objects.at("p/x").content, "content");
  store_.before = Times(1, Always, [] { return Answer(200, Page("Sign in", "Welcome"), kHtml); });
  EXPECT_EQ(ReadObjectText(storage(), "x"), "content");
}

TEST_F(S3StrangersTest, AFirewallIsNotTakenForAPolicy) {
  AnswerAll(403, Page("Attention Required!", "Sorry, you have been blocked"), kHtml);
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(
      error.message(),
      "could not write s3://bucket/p/x: http://store:9000 rejected the request with a web page");
  EXPECT_EQ(error.detail(),
            "The store answered HTTP status 403, \"Attention Required! Sorry, you have been "
            "blocked\".");
  EXPECT_NE(error.hint().find("pgbackup/"), std::string::npos);
  EXPECT_EQ(error.hint().find("s3:PutObject"), std::string::npos);
}

TEST_F(S3StrangersTest, APageThatIsNotFoundIsNoMissingObject) {
  AnswerAll(404, Page("404 Not Found", "404 Not Found"), kHtml);
  EXPECT_EQ(ErrorOf([&] { storage().Delete("x"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([&] { ListNames(storage(), ""); }).kind(), ErrorKind::kInvalid);
}

TEST_F(S3StrangersTest, ARedirectToHttpsNamesTheEndpoint) {
  for (const int status : {301, 302, 308}) {
    AnswerAll(status, Page("Moved", "Moved"),
              {kHtml[0], {"location", "https://store:9000/bucket/p/x"}});
    const Error error = WriteError();
    EXPECT_EQ(error.message(),
              "could not write s3://bucket/p/x: http://store:9000 redirects to "
              "https://store:9000");
    EXPECT_NE(error.detail().find("\"Moved Moved\", Location https://store:9000/bucket/p/x"),
              std::string::npos)
        << error.detail();
    EXPECT_NE(error.hint().find("set pgbackup.s3_endpoint to https://store:9000."),
              std::string::npos)
        << error.hint();
  }
}

TEST_F(S3StrangersTest, ARedirectOfTheStoreNamesTheEndpoint) {
  AnswerAll(301,
            "<Error><Code>PermanentRedirect</Code><Message>Use it.</Message>"
            "<Endpoint>bucket.s3.moon.example.com</Endpoint></Error>",
            {});
  const Error error = WriteError();
  EXPECT_EQ(error.message(),
            "could not write s3://bucket/p/x: bucket \"bucket\" must be accessed through "
            "http://s3.moon.example.com");
  EXPECT_NE(error.hint().find("pgbackup.s3_endpoint to http://s3.moon.example.com"),
            std::string::npos);
  store_.before = Times(-1, Always, [] {
    return ErrorAnswer(307, "TemporaryRedirect", {{"location", "https://other.example.com/x"}});
  });
  EXPECT_NE(WriteError().message().find("must be accessed through https://other.example.com"),
            std::string::npos);
}

TEST_F(S3StrangersTest, ARedirectWithinTheServerIsNoRegion) {
  AnswerAll(302, Page("Moved", "Moved"), {kHtml[0], {"location", "/login"}});
  EXPECT_NE(WriteError().message().find("answered with a web page"), std::string::npos);
}

TEST_F(S3StrangersTest, PlainHttpOnAPortForTlsIsExplained) {
  for (const char* words :
       {"Client sent an HTTP request to an HTTPS server.\n",
        "<html><head><title>400 The plain HTTP request was sent to HTTPS "
        "port</title></head></html>",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"}) {
    AnswerAll(400, words, {});
    const Error error = WriteError();
    EXPECT_EQ(error.message(), "could not write s3://bucket/p/x: http://store:9000 requires TLS");
    EXPECT_EQ(error.hint(), "Use https:// in pgbackup.s3_endpoint.");
  }
}

TEST_F(S3StrangersTest, WhyThereIsNoTlsIsExplained) {
  struct Case {
    TransportFailure failure;
    const char* library;
    const char* reason;
    const char* hint;
  };
  const Case cases[] = {
      {TransportFailure::kTls, "error:0A00010B:SSL routines::wrong version number",
       "http://store:9000 does not speak TLS", "Use http:// in pgbackup.s3_endpoint"},
      {TransportFailure::kTls, "SSL certificate problem: certificate has expired",
       "the certificate of http://store:9000 has expired", "Renew the store's certificate"},
      {TransportFailure::kTls, "SSL certificate problem: certificate is not yet valid",
       "the certificate of http://store:9000 is not yet valid", "Set the clock"},
      {TransportFailure::kNotHttp, "Received HTTP/0.9 when not allowed",
       "http://store:9000 does not speak HTTP", "Use https:// in pgbackup.s3_endpoint"}};
  for (const Case& each : cases) {
    store_.seen.clear();
    store_.before = [&](const SeenRequest&) -> std::optional<HttpResponse> {
      throw TransportError(each.failure, each.library);
    };
    const Error error = WriteError();
    EXPECT_EQ(error.message(), std::string("could not write s3://bucket/p/x: ") + each.reason);
    EXPECT_EQ(error.hint().rfind(each.hint, 0), 0u) << error.hint();
    EXPECT_EQ(store_.seen.size(), 1u);
  }
  store_.before = [&](const SeenRequest&) -> std::optional<HttpResponse> {
    throw TransportError(TransportFailure::kBroken, "Empty reply from server");
  };
  EXPECT_NE(WriteError().hint().find("use https:// in pgbackup.s3_endpoint"), std::string::npos);
}

TEST_F(S3StrangersTest, RefusalsOfWhatASettingAsksForNameTheSetting) {
  struct Case {
    int status;
    const char* code;
    const char* words;
    const char* reason;
    const char* setting;
  };
  const Case cases[] = {
      {400, "InvalidStorageClass", "The storage class you specified is not valid",
       "the store does not accept the storage class", "pgbackup.s3_storage_class"},
      {400, "InvalidArgument", "Unknown storage class COLD",
       "the store does not accept the storage class", "pgbackup.s3_storage_class"},
      {400, "KMS.NotFoundException", "Invalid keyId 'x'",
       "the store could not use the encryption key", "pgbackup.s3_kms_key_id"},
      {501, "NotImplemented", "Server side encryption specified but KMS is not configured",
       "the store could not use the encryption key", "pgbackup.s3_sse"},
      {403, "AccessDenied", "not authorized to perform: kms:GenerateDataKey",
       "the store could not use the encryption key", "kms:GenerateDataKey"},
      {400, "InvalidRequest",
       "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object "
       "Lock parameters",
       "the bucket accepts only objects with a checksum", "pgbackup.s3_checksum = 'sha256'"},
      {400, "XAmzContentSHA256Mismatch", "The provided header does not match",
       "the request was changed on its way to the store", "pgbackup.s3_proxy"}};
  for (const Case& each : cases) {
    store_.seen.clear();
    AnswerAll(each.status,
              std::string("<Error><Code>") + each.code + "</Code><Message>" + each.words +
                  "</Message></Error>",
              {});
    const Error error = WriteError();
    EXPECT_EQ(error.message(), std::string("could not write s3://bucket/p/x: ") + each.reason);
    EXPECT_NE(error.hint().find(each.setting), std::string::npos) << error.hint();
    EXPECT_EQ(store_.seen.size(), 1u) << each.code;
  }
}

TEST_F(S3StrangersTest, RefusalsThatOnlyMentionSuchWordsAreNone) {
  struct Case {
    int status;
    const char* code;
    const char* words;
    const char* reason;
  };
  const Case cases[] = {
      {403, "AccessDenied",
       "not authorized to perform s3:PutObject on arn:aws:s3:::my-kms-bucket/x", "access denied"},
      {400, "InvalidDigest", "The Content-MD5 you specified is not valid.",
       "the store refused the request"},
      {403, "InvalidObjectState", "The operation is not valid for the object's storage class",
       "the object is archived"}};
  for (const Case& each : cases) {
    AnswerAll(each.status,
              std::string("<Error><Code>") + each.code + "</Code><Message>" + each.words +
                  "</Message></Error>",
              {});
    EXPECT_EQ(WriteError().message(),
              std::string("could not write s3://bucket/p/x: ") + each.reason);
  }
}

TEST_F(S3StrangersTest, ARedirectToNonsenseIsNotRepeatedInTheReason) {
  AnswerAll(301, "", {{"location", "https://a\tb\x01/x"}});
  EXPECT_EQ(WriteError().message(),
            "could not write s3://bucket/p/x: bucket \"bucket\" is not in region \"us-east-1\"");
}

}  // namespace
}  // namespace pgbackup
