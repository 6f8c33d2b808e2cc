// The S3 backend against a store that misbehaves in every way a real one can.
#include "core/s3/s3_storage.h"
#include "core/ownership/claim.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/base/timestamp.h"
#include "core/manifest/segment_sink.h"
#include "s3_storage_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class S3StorageTest : public S3StoreFixture {};

bool IsComplete(const SeenRequest& request) {
  return request.method == "POST" && request.Has("uploadId");
}
bool IsCreate(const SeenRequest& request) {
  return request.method == "POST" && request.Has("uploads");
}
bool IsPut(const SeenRequest& request) {
  return request.method == "PUT";
}
HttpResponse Broken() {
  throw TransportError(TransportFailure::kBroken, "connection reset by peer");
}

TEST_F(S3StorageTest, TriesAgainWhenTheStoreSaysSlowDown) {
  store_.before = Times(3, Always, [] { return ErrorAnswer(503, "SlowDown"); });
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.objects.at("p/x").content, "content");
  EXPECT_EQ(store_.seen.size(), 4u);
}

TEST_F(S3StorageTest, ShowsHowFarTheStoresClockIsOffAndWhenItsCredentialsEnd) {
  environment_.variables["AWS_CREDENTIAL_EXPIRATION"] = "2023-11-14T23:13:20Z";
  EXPECT_FALSE(storage().Signs().clock_skew);
  EXPECT_FALSE(storage().Signs().credentials_end);
  std::chrono::milliseconds ahead(95'000);
  store_.clock = [&] { return environment_.Now() + ahead; };
  storage().Head("x");
  EXPECT_EQ(storage().Signs().clock_skew, std::chrono::seconds(95));
  EXPECT_EQ(storage().Signs().credentials_end, environment_.Now() + std::chrono::hours(1));
  ahead = std::chrono::milliseconds(-120'300);
  storage().Head("x");
  EXPECT_EQ(storage().Signs().clock_skew, std::chrono::seconds(-120));
}

TEST_F(S3StorageTest, ShowsThemAlsoWhenTheStoreRefuses) {
  environment_.variables["AWS_CREDENTIAL_EXPIRATION"] = "2023-11-14T22:13:19Z";
  store_.clock = [&] { return environment_.Now() + std::chrono::seconds(30); };
  store_.before = Times(-1, Always, [] { return ErrorAnswer(400, "ExpiredToken"); });
  EXPECT_EQ(ErrorOf([&] { storage().Head("x"); }).kind(), ErrorKind::kDenied);
  EXPECT_EQ(storage().Signs().clock_skew, std::chrono::seconds(30));
  EXPECT_EQ(storage().Signs().credentials_end, environment_.Now() - std::chrono::seconds(1));
}

TEST_F(S3StorageTest, WaitsAsLongAsRetryAfterSays) {
  store_.before = Times(1, Always, [] {
    return ErrorAnswer(503, "SlowDown", {{"retry-after", "17"}});
  });
  WriteObject(storage(), "x", "content");
  EXPECT_GE(environment_.slept(), std::chrono::seconds(17));
}

TEST_F(S3StorageTest, GivesUpWithTheStoresWordsAtTheEndOfTheWindow) {
  WriteObject(storage(), "first", "contact");
  store_.before = Times(-1, Always, [] { return ErrorAnswer(503, "SlowDown"); });
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error.message(),
            "could not write s3://bucket/p/x: the store is overloaded or unavailable");
  EXPECT_EQ(error.detail(),
            "The store answered HTTP status 503, code SlowDown, \"the store's words\", request id "
            "req-7.");
  EXPECT_GT(environment_.slept(), std::chrono::seconds(250));
  EXPECT_LE(environment_.slept(), std::chrono::seconds(300));
}

TEST_F(S3StorageTest, GivesUpSoonerWhenTheStoreHasNeverAnswered) {
  store_.before = Times(-1, Always, []() -> HttpResponse {
    throw TransportError(TransportFailure::kConnect, "connection refused");
  });
  const Error error = ErrorOf([&] { storage().Head("x"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error.message(),
            "could not look at s3://bucket/p/x: could not connect to http://store:9000");
  EXPECT_NE(error.hint().find("pgbackup.s3_endpoint"), std::string::npos);
  EXPECT_LE(environment_.slept(), std::chrono::seconds(30));
}

TEST_F(S3StorageTest, EverySilenceHasItsOwnWords) {
  const std::vector<std::pair<TransportFailure, std::string>> cases = {
      {TransportFailure::kResolve, "the host name of http://store:9000 is unknown"},
      {TransportFailure::kConnect, "could not connect to http://store:9000"},
      {TransportFailure::kTls, "no secure connection to http://store:9000"},
      {TransportFailure::kStalled, "http://store:9000 stopped answering"},
      {TransportFailure::kBroken, "the connection to http://store:9000 broke"}};
  for (const auto& [failure, words] : cases) {
    store_.before = [failure = failure](const SeenRequest&) -> std::optional<HttpResponse> {
      throw TransportError(failure, "the library's words");
    };
    const Error error = ErrorOf([&] { storage().Head("x"); });
    EXPECT_EQ(error.message(), "could not look at s3://bucket/p/x: " + words);
    EXPECT_EQ(error.detail(), "The network library says: the library's words.");
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(S3StorageTest, DoesNotRetryABadCertificateAndNamesTheSetting) {
  store_.before = Times(-1, Always, []() -> HttpResponse {
    throw TransportError(TransportFailure::kTls, "self-signed certificate");
  });
  const Error error = ErrorOf([&] { storage().Head("x"); });
  EXPECT_NE(error.hint().find("pgbackup.s3_ca_file"), std::string::npos);
  EXPECT_EQ(store_.seen.size(), 1u);
}

TEST_F(S3StorageTest, EveryRefusalHasItsOwnWordsAndIsNotRetried) {
  struct Case {
    int status;
    std::string code;
    ErrorKind kind;
    std::string message;
    std::string hint;
  };
  const std::vector<Case> cases = {
      {403, "AccessDenied", ErrorKind::kDenied, "access denied", "s3:PutObject"},
      {403, "InvalidAccessKeyId", ErrorKind::kDenied, "the store does not know the access key id",
       "pgbackup.s3_credentials_file"},
      {403, "SignatureDoesNotMatch", ErrorKind::kDenied,
       "the secret key (or the access key id) is wrong", "pgbackup.s3_credentials_file"},
      {404, "NoSuchBucket", ErrorKind::kNotFound, "bucket \"bucket\" does not exist",
       "pgbackup.storage"},
      {403, "QuotaExceeded", ErrorKind::kNoSpace, "the store's quota or capacity is exhausted",
       "quota"},
      {403, "", ErrorKind::kDenied, "access denied", "s3:PutObject"},
      {501, "NotImplemented", ErrorKind::kInvalid, "the store does not implement what was asked",
       "pgbackup.s3_endpoint"},
      {400, "Strange", ErrorKind::kInvalid, "the store refused the request",
       "pgbackup.s3_endpoint"}};
  for (const Case& each : cases) {
    store_.seen.clear();
    store_.before = Times(1, Always, [&] { return ErrorAnswer(each.status, each.code); });
    const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
    EXPECT_EQ(error.kind(), each.kind) << each.code;
    EXPECT_EQ(error.message(), "could not write s3://bucket/p/x: " + each.message);
    EXPECT_NE(error.hint().find(each.hint), std::string::npos) << error.hint();
    EXPECT_NE(error.detail().find(std::to_string(each.status)), std::string::npos);
    EXPECT_NE(error.detail().find("req-7"), std::string::npos);
    EXPECT_EQ((error.message() + error.detail() + error.hint()).find("the-secret-key"),
              std::string::npos);
    EXPECT_EQ(store_.seen.size(), 1u);
  }
}

TEST_F(S3StorageTest, ARefusedHeadIsAskedAgainForItsReason) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "HEAD") return Answer(403);
    return ErrorAnswer(403, "InvalidAccessKeyId");
  };
  const Error error = ErrorOf([&] { storage().Head("x"); });
  EXPECT_EQ(error.message(),
            "could not look at s3://bucket/p/x: the store does not know the access key id");
}

TEST_F(S3StorageTest, CorrectsTheClock) {
  const WallTime store_time{std::chrono::seconds(784111777)};
  const auto skewed = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("x-amz-date") == AmzDate(store_time)) return std::nullopt;
    return ErrorAnswer(403, "RequestTimeTooSkewed", {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  };
  store_.before = skewed;
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.seen.size(), 2u);
  WriteObject(storage(), "y", "content");  // remembered
  EXPECT_EQ(store_.seen.size(), 3u);
  store_.before = Times(-1, Always, [] {
    return ErrorAnswer(403, "RequestTimeTooSkewed", {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  });
  const Error error = ErrorOf([&] { WriteObject(storage(), "z", "content"); });
  EXPECT_NE(error.message().find("clock"), std::string::npos);
  EXPECT_EQ(store_.seen.size(), 3u + 1 + 3);
}

TEST_F(S3StorageTest, SurvivesAnAnswerByAServerWithAWrongClock) {
  const auto is_right = [&](const SeenRequest& request) {
    return request.Header("x-amz-date") == AmzDate(environment_.Now());
  };
  int number = 0;
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (++number == 1)
      return ErrorAnswer(403, "RequestTimeTooSkewed", {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
    if (is_right(request)) return std::nullopt;
    return ErrorAnswer(403, "RequestTimeTooSkewed", {{"date", HttpDate(environment_.Now())}});
  };
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(number, 3);
}

TEST_F(S3StorageTest, LearnsTheRegionOnAws) {
  settings_.endpoint.clear();
  settings_.path_style = "on";
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.origin == "https://s3.eu-west-3.amazonaws.com") return std::nullopt;
    return ErrorAnswer(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-3"}});
  };
  WriteObject(storage(), "x", "content");
  ASSERT_EQ(store_.seen.size(), 2u);
  EXPECT_EQ(store_.seen[0].origin, "https://s3.us-east-1.amazonaws.com");
  EXPECT_NE(store_.seen[1].Header("authorization").find("/eu-west-3/s3/"), std::string::npos);
  EXPECT_TRUE(storage().Head("x"));
  EXPECT_EQ(store_.seen.size(), 3u);
}

TEST_F(S3StorageTest, LearnsTheRegionBehindACustomEndpointFromTheErrorsBody) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("authorization").find("/moon/s3/") != std::string::npos) return std::nullopt;
    if (request.method == "HEAD") return Answer(400);
    return Answer(400,
                  "<Error><Code>AuthorizationHeaderMalformed</Code><Region>moon</Region></Error>");
  };
  EXPECT_FALSE(storage().Head("x"));
  EXPECT_EQ(store_.seen.back().origin, "http://store:9000");
}

TEST_F(S3StorageTest, SaysWhenTheRegionIsWrongAndNobodyNamesTheRightOne) {
  store_.before = Times(-1, Always, [] { return Answer(301); });
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.message(),
            "could not write s3://bucket/p/x: bucket \"bucket\" is not in region \"us-east-1\"");
  EXPECT_NE(error.hint().find("pgbackup.s3_region"), std::string::npos);
}

TEST_F(S3StorageTest, LoadsExpiredCredentialsAnewOnce) {
  storage();
  store_.before = [this](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("authorization").find("AKIDNEW") != std::string::npos) return std::nullopt;
    environment_.variables["AWS_ACCESS_KEY_ID"] = "AKIDNEW";
    return ErrorAnswer(400, "ExpiredToken");
  };
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.seen.size(), 2u);
  store_.before = Times(-1, Always, [] { return ErrorAnswer(400, "ExpiredToken"); });
  EXPECT_EQ(ErrorOf([&] { WriteObject(storage(), "x", "content"); }).kind(), ErrorKind::kDenied);
  EXPECT_EQ(store_.seen.size(), 3u);
}

TEST_F(S3StorageTest, LoadsKeysAnewThatTheStoreDoesNotKnowAnyMore) {
  for (const char* code :
       {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidTokenId"}) {
    environment_.variables["AWS_ACCESS_KEY_ID"] = "AKIDOLD";
    storage_.reset();
    store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.Header("authorization").find("AKIDNEW") != std::string::npos) return std::nullopt;
      environment_.variables["AWS_ACCESS_KEY_ID"] = "AKIDNEW";
      return ErrorAnswer(403, code);
    };
    WriteObject(storage(), "x", "content");
  }
  EXPECT_EQ(store_.seen.size(), 8u);
}

// A store and, at the container's endpoint, the source of the credentials it accepts.
class S3ShortLivedCredentials : public S3StorageTest {
 protected:
  S3ShortLivedCredentials() {
    environment_.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/role"}};
    store_.before = [this](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.origin == "http://169.254.170.2") return Issue();
      if (request.Has("partNumber")) environment_.Advance(time_per_part_);
      const auto expires = expires_.find(request.Header("x-amz-security-token"));
      if (expires == expires_.end()) return ErrorAnswer(403, "InvalidToken");
      if (environment_.Now() < expires->second) return std::nullopt;
      ++refused_;
      return ErrorAnswer(400, "ExpiredToken");
    };
  }

  HttpResponse Issue() {
    const std::string token = "token-" + std::to_string(++issued_);
    const WallTime expires = environment_.Now() + std::chrono::hours(1);
    expires_[token] = issued_ == 1 ? environment_.Now() + first_lifetime_ : expires;
    return Answer(200, "{\"AccessKeyId\": \"ASIA\", \"SecretAccessKey\": \"s\", \"Token\": \"" +
                           token + "\", \"Expiration\": \"" + FormatTimestamp(expires) + "\"}");
  }

  std::chrono::minutes time_per_part_{0};
  std::chrono::minutes first_lifetime_{60};
  int issued_ = 0, refused_ = 0;
  std::map<std::string, WallTime> expires_;
};

TEST_F(S3ShortLivedCredentials, AnUploadLastsLongerThanItsCredentials) {
  time_per_part_ = std::chrono::minutes(10);
  const std::string content = SomeBytes(14 * kPart);
  WriteObject(storage(), "x", content);
  EXPECT_TRUE(SameBytes(store_.objects.at("p/x").content, content));
  EXPECT_GE(issued_, 3);
  EXPECT_LE(issued_, 5);
}

TEST_F(S3ShortLivedCredentials, WhatTheStoreCallsExpiredIsRenewedInTheMiddleOfAnUpload) {
  // Sooner than the source has promised.
  time_per_part_ = std::chrono::minutes(1);
  first_lifetime_ = std::chrono::minutes(3);
  const std::string content = SomeBytes(8 * kPart);
  WriteObject(storage(), "x", content);
  EXPECT_TRUE(SameBytes(store_.objects.at("p/x").content, content));
  EXPECT_GE(refused_, 1);
  EXPECT_EQ(issued_, 2);
}

TEST_F(S3ShortLivedCredentials, ACallMayOutliveMoreThanOneOfThem) {
  // As when a request is held up for so long that what it was signed with has expired on arrival.
  int expired = 3;
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.origin == "http://169.254.170.2") return Issue();
    if (--expired >= 0) return ErrorAnswer(400, "ExpiredToken");
    return std::nullopt;
  };
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(issued_, 4);
  // A source of which nothing is ever accepted does not keep a call for ever.
  expired = 1000;
  EXPECT_EQ(ErrorOf([&] { WriteObject(storage(), "x", "content"); }).kind(), ErrorKind::kDenied);
  EXPECT_EQ(issued_, 7);
}

TEST_F(S3StorageTest, SendsTheSessionTokenSigned) {
  environment_.variables["AWS_SESSION_TOKEN"] = "the-token";
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.seen[0].Header("x-amz-security-token"), "the-token");
  EXPECT_NE(store_.seen[0].Header("authorization").find(";x-amz-security-token,"),
            std::string::npos);
}

TEST_F(S3StorageTest, SendsNeitherChecksumsNorChunksNobodyAskedFor) {
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  for (const SeenRequest& request : store_.seen)
    for (const auto& [name, value] : request.headers) {
      EXPECT_EQ(name.find("checksum"), std::string::npos) << name;
      EXPECT_NE(name, "x-amz-trailer");
      EXPECT_EQ(value.find("STREAMING"), std::string::npos) << value;
    }
}

TEST_F(S3StorageTest, ReadsTheErrorInsideASuccessfulComplete) {
  store_.before = Times(2, IsComplete, [] { return ErrorAnswer(200, "InternalError"); });
  const std::string content = SomeBytes(2 * kPart + 1);
  WriteObject(storage(), "x", content);
  EXPECT_TRUE(SameBytes(store_.objects.at("p/x").content, content));
  EXPECT_EQ(store_.Count("POST", "uploadId"), 3u);
}

TEST_F(S3StorageTest, ACompleteThatWasDoneAndAnswered200WithAnErrorIsSettledByALook) {
  store_.after = Times(1, IsComplete, [] { return ErrorAnswer(200, "InternalError"); });
  const std::string content = SomeBytes(2 * kPart + 1);
  WriteObject(storage(), "x", content);
  EXPECT_TRUE(SameBytes(store_.objects.at("p/x").content, content));
}

TEST_F(S3StorageTest, HalfAnErrorInsideASuccessIsNoSuccess) {
  store_.before = Times(1, IsPut, [] { return Answer(200, "<Error><Code>Intern"); });
  WriteObject(storage(), "x", "content");
  EXPECT_EQ(store_.objects.at("p/x").content, "content");
}

TEST_F(S3StorageTest, AFailureInsideASuccessIsCalledTheStoresFailure) {
  store_.before = Times(-1, IsPut, [] { return ErrorAnswer(200, "InternalError"); });
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error.message(), "could not write s3://bucket/p/x: the store failed");
}

TEST_F(S3StorageTest, AnUploadThatBeganUnderA200WithAnErrorIsRemoved) {
  store_.after = Times(1, IsCreate, [] { return ErrorAnswer(200, "InternalError"); });
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  EXPECT_TRUE(store_.uploads.empty());
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(S3StorageTest, AFinalErrorInsideASuccessfulCompleteFailsTheObject) {
  store_.before = Times(-1, IsComplete, [] { return ErrorAnswer(200, "EntityTooSmall"); });
  {
    const auto sink = storage().Put("x", {});
    sink->Write(AsBytes(SomeBytes(2 * kPart + 1)));
    EXPECT_THROW(sink->Finish(), Error);
    sink->Abort();
  }
  EXPECT_TRUE(store_.objects.empty());
  EXPECT_TRUE(store_.uploads.empty());
}

TEST_F(S3StorageTest, ALostAnswerToCompleteIsSettledByALookAtTheObject) {
  store_.after = Times(1, IsComplete, Broken);
  const std::string content = SomeBytes(2 * kPart + 1);
  WriteObject(storage(), "x", content);
  EXPECT_TRUE(SameBytes(store_.objects.at("p/x").content, content));
  EXPECT_EQ(store_.Count("HEAD"), 1u);
}

TEST_F(S3StorageTest, AnEmptyAnswerToCompleteIsSettledByALookAtTheObject) {
  store_.after = Times(1, IsComplete, [] { return Answer(200); });
  WriteObject(storage(), "x", SomeBytes(2 * kPart + 1));
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(S3StorageTest, SomebodyElsesObjectIsNoProofThatCompleteWorked) {
  store_.objects["p/x"] = {SomeBytes(2 * kPart + 1), "another writer", 1};
  store_.before = [this, completed_once = false](
                      const SeenRequest& request) mutable -> std::optional<HttpResponse> {
    if (!IsComplete(request)) return std::nullopt;
    if (std::exchange(completed_once, true)) return std::nullopt;
    store_.uploads.clear();
    Broken();
    return std::nullopt;
  };
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", SomeBytes(2 * kPart + 1)); });
  EXPECT_NE(error.message().find("has disappeared"), std::string::npos) << error.message();
  EXPECT_EQ(store_.objects.at("p/x").write_id, "another writer");
}

TEST_F(S3StorageTest, AnObjectThatFinishedAgainstOurKnowledgeIsRemovedByAbort) {
  WriteObject(storage(), "first", "contact");
  store_.after = Times(-1, IsPut, Broken);
  EXPECT_THROW(WriteObject(storage(), "x", "content"), Error);
  EXPECT_EQ(store_.objects.count("p/x"), 0u);
  EXPECT_EQ(store_.objects.count("p/first"), 1u);
}

TEST_F(S3StorageTest, AnUploadWhoseIdWasLostIsRemoved) {
  store_.after = Times(1, IsCreate, Broken);
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  EXPECT_EQ(store_.Count("POST", "uploads"), 2u);
  EXPECT_TRUE(store_.uploads.empty());
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(S3StorageTest, AnUploadWhoseIdWasLostIsRemovedHoweverLongTheStoreIsAwayThen) {
  store_.after = Times(1, IsCreate, Broken);
  store_.before = [this](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "GET" || !request.Has("uploads")) return std::nullopt;
    if (environment_.slept() < std::chrono::seconds(30)) Broken();
    return std::nullopt;
  };
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  EXPECT_TRUE(store_.uploads.empty());
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(S3StorageTest, AnUploadWhoseIdWasLostIsNoFailureForAUserWhoMayNotList) {
  store_.after = Times(1, IsCreate, Broken);
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "GET" || !request.Has("uploads")) return std::nullopt;
    return ErrorAnswer(403, "AccessDenied");
  };
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(S3StorageTest, AnUploadWhoseIdWasNeverLearnedIsRemovedByAbort) {
  WriteObject(storage(), "first", "contact");
  store_.after = Times(-1, IsCreate, Broken);
  EXPECT_THROW(WriteObject(storage(), "x", SomeBytes(kPart + 1)), Error);
  EXPECT_TRUE(store_.uploads.empty());
}

TEST_F(S3StorageTest, AFailedPartFailsTheObjectAndLeavesNothing) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (!request.Has("partNumber") || request.query.at("partNumber") != "2") return std::nullopt;
    return ErrorAnswer(403, "AccessDenied");
  };
  const Error error = ErrorOf([&] { WriteObject(storage(), "x", SomeBytes(6 * kPart)); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_TRUE(store_.uploads.empty());
  EXPECT_TRUE(store_.objects.empty());
}

TEST_F(S3StorageTest, AbortLooksAgainWhenAPartArrivedLate) {
  bool revived = false;
  store_.after = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "DELETE" && request.Has("uploadId") && !std::exchange(revived, true))
      store_.uploads[request.query.at("uploadId")] = {"p/x", "", {}};
    return std::nullopt;
  };
  const auto sink = storage().Put("x", {});
  sink->Write(AsBytes(SomeBytes(2 * kPart)));
  sink->Abort();
  EXPECT_TRUE(revived);
  EXPECT_TRUE(store_.uploads.empty());
}

TEST_F(S3StorageTest, CleaningUpAfterACancelEndsInTimeWhenTheStoreIsGone) {
  const auto first = storage().Put("x", {}), second = storage().Put("y", {});
  first->Write(AsBytes(SomeBytes(2 * kPart)));
  second->Write(AsBytes(SomeBytes(2 * kPart)));
  cancellation_.Cancel();
  store_.SetBefore(Times(-1, Always, Broken));
  const SteadyTime begin = environment_.SteadyNow();
  first->Abort();
  second->Abort();
  EXPECT_LE(environment_.SteadyNow() - begin, std::chrono::seconds(8));
}

TEST_F(S3StorageTest, AllPartsButTheLastHaveTheSameSize) {
  WriteObject(storage(), "x", SomeBytes(4 * kPart + 100), {}, 777'777);
  std::map<std::string, size_t> sizes;
  for (const SeenRequest& request : store_.seen)
    if (request.Has("partNumber")) sizes[request.query.at("partNumber")] = request.body_size;
  EXPECT_EQ(sizes, (std::map<std::string, size_t>{
                       {"1", kPart}, {"2", kPart}, {"3", kPart}, {"4", kPart}, {"5", 100}}));
}

TEST_F(S3StorageTest, WhatFitsIntoOnePartIsOneRequest) {
  WriteObject(storage(), "x", SomeBytes(kPart), {}, 1'000'000);
  EXPECT_EQ(store_.seen.size(), 1u);
  EXPECT_EQ(store_.seen[0].method, "PUT");
}

TEST_F(S3StorageTest, AnObjectHasNoMorePartsThanTheStrictestStoreTakes) {
  EXPECT_EQ(storage().MaxObjectSize(), 900 * kPart);
}

TEST_F(S3StorageTest, RefusesTheByteThatIsTooMany) {
  limits_.most_parts = 3;
  const auto sink = storage().Put("x", {});
  const std::string piece = SomeBytes(kPart);
  for (uint64_t i = 0; i < limits_.most_parts; ++i) sink->Write(AsBytes(piece));
  const Error error = ErrorOf([&] { sink->Write(AsBytes("x")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.hint().find("pgbackup.s3_part_size"), std::string::npos);
}

TEST_F(S3StorageTest, NoTryLastsForEverUnlessItsReceiverMayBeSlow) {
  using std::chrono::hours;
  limits_.least_speed = kPart / 7200;  // a part may take two hours
  WriteObject(storage(), "x", SomeBytes(kPart + 1));
  ReadObjectText(storage(), "x");
  storage().Head("x");
  for (const SeenRequest& request : store_.seen) {
    if (request.body_size == kPart)
      EXPECT_NEAR(static_cast<double>(request.timeout / std::chrono::seconds(1)), 7200, 10);
    else
      EXPECT_EQ(request.timeout, hours(request.method == "GET" ? 0 : 1)) << request.method;
  }
}

TEST_F(S3StorageTest, AStreamOfMorePartsThanAnObjectTakesContinuesInTheNext) {
  limits_.most_parts = 2;
  const std::string content = SomeBytes(5 * kPart + 7);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage(), "x", &stored);
  sink.Write(AsBytes(content));
  sink.Finish();
  const StreamPlan plan = PlanStream(content.size(), LimitsOfUpload(kPart, 2));
  ASSERT_EQ(sink.segments().size(), plan.objects());
  EXPECT_EQ(sink.segments().back().name, "x.part3");
  EXPECT_EQ(sink.segments().back().size, plan.last.size);
  std::string back;
  for (const Segment& segment : sink.segments()) back += ReadObjectText(storage(), segment.name);
  EXPECT_TRUE(SameBytes(back, content));
  std::map<std::string, uint64_t> parts;
  for (const SeenRequest& request : store_.seen)
    if (request.Has("partNumber")) ++parts[request.path];
  EXPECT_EQ(parts, (std::map<std::string, uint64_t>{{"/bucket/p/x", plan.full.parts},
                                                    {"/bucket/p/x.part2", plan.full.parts},
                                                    {"/bucket/p/x.part3", plan.last.parts}}));
}

TEST_F(S3StorageTest, AConditionalPutWhoseAnswerWasLostIsRecognized) {
  PutOptions options;
  options.if_absent = true;
  store_.after = Times(1, IsPut, Broken);
  WriteObject(storage(), "manifest.json", "{}", options);
  EXPECT_EQ(store_.objects.at("p/manifest.json").content, "{}");
}

TEST_F(S3StorageTest, AConditionalPutThatWasDoneAndAnswered200WithAnErrorIsRecognized) {
  store_.after = Times(1, IsPut, [] { return ErrorAnswer(200, "InternalError"); });
  PutOptions once;
  once.if_absent = true;
  WriteObject(storage(), "x", "content", once);
  EXPECT_EQ(store_.objects.at("p/x").content, "content");
}

TEST_F(S3StorageTest, AConditionalPutFallsBackToALookWhereTheStoreKnowsNone) {
  PutOptions options;
  options.if_absent = true;
  for (const int status : {400, 501}) {
    store_.refuses_conditions_with = status;
    store_.objects.clear();
    WriteObject(storage(), "manifest.json", "{}", options);
    EXPECT_EQ(ErrorOf([&] { WriteObject(storage(), "manifest.json", "other", options); }).kind(),
              ErrorKind::kAlreadyExists);
    WriteObject(storage(), "long", SomeBytes(kPart + 1), options);
    EXPECT_EQ(store_.objects.at("p/manifest.json").content, "{}");
    EXPECT_EQ(store_.objects.size(), 2u);
  }
}

TEST_F(S3StorageTest, AConditionalPutWorksForAUserWhoMayOnlyWrite) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "PUT") return std::nullopt;
    return ErrorAnswer(403, "AccessDenied");
  };
  PutOptions options;
  options.if_absent = true;
  WriteObject(storage(), "manifest.json", "{}", options);
  EXPECT_EQ(store_.objects.at("p/manifest.json").content, "{}");
}

TEST_F(S3StorageTest, AHeadWithoutALengthIsAskedAgainForOneByte) {
  for (const char* content : {"content", ""}) {
    WriteObject(storage(), "x", content);
    store_.seen.clear();
    store_.after = [](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.method != "HEAD") return std::nullopt;
      return Answer(200, {}, {{"etag", "W/\"1\""}, {"vary", "Accept-Encoding"}});
    };
    const auto head = storage().Head("x");
    ASSERT_TRUE(head);
    EXPECT_EQ(head->size, std::string(content).size());
    EXPECT_EQ(store_.seen.size(), 2u);
    EXPECT_EQ(store_.seen.back().Header("range"), "bytes=0-0");
  }
}

TEST_F(S3StorageTest, AReadGoesOnAtTheByteWhereTheConnectionBroke) {
  const std::string content = SomeBytes(100'000);
  WriteObject(storage(), "x", content);
  store_.cut_bodies_at = 30'000;
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x", 5, 70'000), content.substr(5, 70'000)));
  EXPECT_EQ(store_.seen[2].Header("range"), "bytes=30000-99999");
  EXPECT_FALSE(store_.seen[2].Header("if-match").empty());
}

TEST_F(S3StorageTest, AReadThatIsTakenUpAgainDoesNotMixTwoVersions) {
  WriteObject(storage(), "x", SomeBytes(100'000, 1));
  store_.cut_bodies_at = 30'000;
  MemorySink sink;
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (!request.Header("if-match").empty()) store_.objects["p/x"].version += 100;
    return std::nullopt;
  };
  EXPECT_EQ(ErrorOf([&] { storage().Get("x", sink, 0, Storage::kToTheEnd); }).kind(),
            ErrorKind::kCorrupt);
}

TEST_F(S3StorageTest, AStoreThatIgnoresRangesIsNotBelieved) {
  WriteObject(storage(), "x", SomeBytes(1000));
  store_.before = Times(-1, Always, [] { return Answer(200, SomeBytes(1000)); });
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage(), "x", 10, 5); }).kind(),
            ErrorKind::kUnavailable);
}

TEST_F(S3StorageTest, ListsPageByPage) {
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) {
    names.push_back("n" + std::to_string(i));
    WriteObject(storage(), names.back(), "x");
  }
  store_.objects["p/folder/"] = {};  // as consoles make them
  store_.objects["p2/x"] = {};
  store_.seen.clear();
  EXPECT_EQ(ListNames(storage(), ""), names);
  EXPECT_EQ(store_.seen.size(), 4u);
}

TEST_F(S3StorageTest, DoesNotTakeAWebPageForAnEmptyBucket) {
  store_.before = Times(-1, Always, [] { return Answer(200, "<html>Welcome</html>"); });
  const Error error = ErrorOf([&] { ListNames(storage(), ""); });
  EXPECT_NE(error.hint().find("pgbackup.s3_endpoint"), std::string::npos);
}

TEST_F(S3StorageTest, ASweepDeletesTheManifestFirst) {
  for (const char* name :
       {"run/data-000.dump", "run/manifest.json", "run/claim.json", "run/schema.dump", "run2/x"})
    WriteObject(storage(), name, "x");
  store_.uploads["upload-a"] = {"p/run/data-001.dump", "", {}};
  store_.uploads["upload-b"] = {"p/run2/data-001", "", {}};
  store_.seen.clear();
  const SweepReport report = SweepFolder(storage(), "run");
  EXPECT_EQ(report.objects, 4u);
  EXPECT_EQ(report.unfinished_uploads, 1u);
  const auto first = std::find_if(store_.seen.begin(), store_.seen.end(),
                                  [](const auto& request) { return request.method == "DELETE"; });
  EXPECT_EQ(first->path, "/bucket/p/run/manifest.json");
  EXPECT_EQ(store_.objects.size(), 1u);
  EXPECT_EQ(store_.uploads.size(), 1u);
}

TEST_F(S3StorageTest, TriesNothingOnceCancelled) {
  storage();
  cancellation_.Cancel();
  EXPECT_EQ(ErrorOf([&] { storage().Head("x"); }).kind(), ErrorKind::kCancelled);
  EXPECT_EQ(ErrorOf([&] { storage().Put("x", {}); }).kind(), ErrorKind::kCancelled);
  EXPECT_TRUE(store_.seen.empty());
}

TEST_F(S3StorageTest, PresignsWithoutAskingTheStore) {
  const std::string url = storage().Presign("a b", 3600);
  EXPECT_EQ(url.rfind("http://store:9000/bucket/p/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&", 0), 0u)
      << url;
  EXPECT_NE(url.find("&X-Amz-Expires=3600&"), std::string::npos);
  EXPECT_EQ(url.find("the-secret-key"), std::string::npos);
  EXPECT_TRUE(store_.seen.empty());
}

TEST_F(S3StorageTest, PresignsByTheClockThatTheStoreInsistsOn) {
  const WallTime store_time{std::chrono::seconds(784111777)};
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("x-amz-date") == AmzDate(store_time)) return std::nullopt;
    if (request.method == "HEAD") return Answer(403, {}, {{"date", HttpDate(store_time)}});
    return ErrorAnswer(403, "RequestTimeTooSkewed", {{"date", HttpDate(store_time)}});
  };
  storage().Head("x");
  const std::string url = storage().Presign("x", 60);
  EXPECT_NE(url.find("X-Amz-Date=" + AmzDate(store_time)), std::string::npos) << url;
}

}  // namespace
}  // namespace pgbackup
