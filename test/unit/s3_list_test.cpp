// Listings of stores that do not go on as the S3 API promises, or garble keys.
#include "s3_storage_test_support.h"

namespace pgbackup {
namespace {

class S3ListTest : public S3StoreFixture {
 protected:
  using Listing = FakeStore::Listing;

  // Ten objects, which are four pages.
  std::vector<std::string> WriteTen() {
    std::vector<std::string> names;
    for (int i = 0; i < 10; ++i) {
      names.push_back("n" + std::to_string(i));
      store_.objects["p/" + names.back()] = {"x", "", 1};
    }
    store_.seen.clear();
    return names;
  }
};

TEST_F(S3ListTest, IsCompleteWhereTheStoreKnowsVersion1Alone) {
  const auto names = WriteTen();
  store_.listing = Listing::kVersion1;
  EXPECT_EQ(ListNames(storage(), ""), names);
  EXPECT_EQ(store_.seen.back().query.at("marker"), "p/n8");
}

TEST_F(S3ListTest, IsCompleteWhereAPageDoesNotNameTheNextOne) {
  const auto names = WriteTen();
  store_.listing = Listing::kLosesTokens;
  EXPECT_EQ(ListNames(storage(), ""), names);
  EXPECT_EQ(store_.seen.size(), 4u);
}

TEST_F(S3ListTest, AsksAStoreThatIsCertainlyOfVersion1ForMarkersAtOnce) {
  const auto page = [](const char* key, bool truncated) {
    return Answer(200, std::string("<ListBucketResult><Marker/><IsTruncated>") +
                           (truncated ? "true" : "false") + "</IsTruncated><Contents><Key>" + key +
                           "</Key><Size>1</Size></Contents></ListBucketResult>");
  };
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    return request.Has("marker") ? page("p/b", false) : page("p/a", true);
  };
  EXPECT_EQ(ListNames(storage(), ""), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(store_.seen.size(), 2u);
}

TEST_F(S3ListTest, FailsWhereTheListingStandsStill) {
  WriteTen();
  store_.listing = Listing::kStandsStill;
  const Error error = ErrorOf([&] { ListNames(storage(), ""); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error.message(),
            "could not list s3://bucket/p/: the store returned the same page of the listing again");
  EXPECT_LE(store_.seen.size(), 3u);
}

TEST_F(S3ListTest, FailsWhereTheListingIsCutWithoutAKey) {
  store_.before = Times(-1, Always, [] {
    return Answer(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
  });
  const Error error = ErrorOf([&] { ListNames(storage(), ""); });
  EXPECT_EQ(error.message(),
            "could not list s3://bucket/p/: the store truncated the listing without a continuation "
            "token");
}

TEST_F(S3ListTest, ATokenThatComesAgainIsNotFollowedForEver) {
  store_.before = Times(-1, Always, [] {
    return Answer(200,
                  "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
                  "</NextContinuationToken><Contents><Key>p/a</Key></Contents></ListBucketResult>");
  });
  EXPECT_EQ(ErrorOf([&] { ListNames(storage(), ""); }).kind(), ErrorKind::kUnavailable);
}

TEST_F(S3ListTest, APageOfUploadsThatComesAgainIsNotFollowedForEver) {
  store_.before = Times(-1, Always, [] {
    return Answer(200,
                  "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><Upload><Key>p/a"
                  "</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>");
  });
  const Error error = ErrorOf([&] { storage().ListUnfinished("", [](const auto&) {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(store_.seen.size(), 2u);
}

TEST_F(S3ListTest, KeysAreWhatTheyAreWhetherOrNotTheStoreEncodes) {
  // In the order of their bytes.
  const std::vector<std::string> names = {"a b", "a%20b", "a%2Bb", "a&b", "a+b", "a\xC3\xA9"};
  for (const std::string& name : names) store_.objects["p/" + name] = {"x", "", 1};
  for (const bool encodes : {true, false}) {
    store_.encodes_keys = encodes;
    EXPECT_EQ(ListNames(storage(), ""), names);
  }
}

TEST_F(S3ListTest, AKeyThatXmlCannotExpressIsAskedForEncoded) {
  // Its own name is none of a storage; the others of its page come out right.
  store_.objects["p/a\x01z"] = store_.objects["p/b+%20c"] = {"x", "", 1};
  EXPECT_EQ(ListNames(storage(), ""), (std::vector<std::string>{"b+%20c"}));
  ASSERT_EQ(store_.seen.size(), 2u);
  EXPECT_FALSE(store_.seen.front().Has("encoding-type"));
  EXPECT_EQ(store_.seen.back().query.at("encoding-type"), "url");
}

TEST_F(S3ListTest, AStoreMaySayThatKeysAreEncodedThoughNobodyAsked) {
  store_.encodes_keys = false;
  store_.says_encoded = true;
  store_.objects["p/a%20b"] = {"x", "", 1};
  EXPECT_EQ(ListNames(storage(), ""), (std::vector<std::string>{"a%20b"}));
  // Nor is it to be believed when somebody has.
  store_.objects["p/a\x01z"] = {"x", "", 1};
  EXPECT_EQ(ListNames(storage(), ""), (std::vector<std::string>{"a\xEF\xBF\xBDz", "a%20b"}));
}

TEST_F(S3ListTest, WhatIsNotBelowThePrefixIsNotShown) {
  store_.before = Times(-1, Always, [] {
    return Answer(200,
                  "<ListBucketResult><Contents><Key>x</Key></Contents><Contents><Key>p/a</Key>"
                  "</Contents></ListBucketResult>");
  });
  EXPECT_EQ(ListNames(storage(), ""), (std::vector<std::string>{"a"}));
}

TEST_F(S3ListTest, TheNearestPlaceAboveThatHoldsFoldersIsFound) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    EXPECT_EQ(request.query.at("delimiter"), "/");
    const std::string prefix = request.query.at("prefix");
    if (prefix != "a/") return Answer(200, "<ListBucketResult/>");
    return Answer(200,
                  "<ListBucketResult><CommonPrefixes><Prefix>a/B/</Prefix></CommonPrefixes>"
                  "<CommonPrefixes><Prefix>a/c&amp;%20/</Prefix></CommonPrefixes>"
                  "</ListBucketResult>");
  };
  S3Storage deep(S3Location{"bucket", "a/x/y"}, settings_, limits_,
                 std::make_unique<FakeTransport>(store_), environment_, cancellation_);
  const Surroundings above = deep.LookAround();
  EXPECT_EQ(above.url, "s3://bucket/a");
  EXPECT_EQ(above.names, (std::vector<std::string>{"B", "c&%20"}));
  EXPECT_EQ(store_.seen.size(), 2u);
  EXPECT_TRUE(storage().LookAround().names.empty());  // of a bucket without folders
  EXPECT_EQ(storage().LookAround().url, "");
}

}  // namespace
}  // namespace pgbackup
