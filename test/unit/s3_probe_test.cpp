// What a check says about a store that is well, and about one in which one thing is wrong.
#include "core/s3/s3_probe.h"

#include <gtest/gtest.h>

#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class S3ProbeTest : public ::testing::Test {
 protected:
  S3ProbeTest() {
    settings_.endpoint = "http://127.0.0.1:9000";
    settings_.region = "us-east-1";
    limits_.retry.window = limits_.first_contact_window = std::chrono::seconds(5);
    store_.clock = [this] { return environment_.Now() + ahead_; };
  }

  // Probes and returns whether something may be left.
  bool Probe() {
    storage_ = std::make_unique<S3Storage>(S3Location{"bucket", "p"}, settings_, limits_,
                                           std::make_unique<FakeTransport>(store_), environment_,
                                           cancellation_);
    report_ = {};
    return storage_->Probe({".pgbackup-check/0011", environment_}, report_);
  }

  ProbeRow Row(const std::string& item) {
    for (const ProbeRow& row : report_.rows())
      if (row.item == item) return row;
    ADD_FAILURE() << "there is no row " << item;
    return {};
  }

  // "item: status" of all rows that are not ok.
  std::vector<std::string> Troubles() {
    std::vector<std::string> troubles;
    for (const ProbeRow& row : report_.rows())
      if (row.status != ProbeStatus::kOk)
        troubles.push_back(row.item + ": " + ProbeStatusName(row.status));
    return troubles;
  }

  void ExpectNothingLeft() {
    EXPECT_TRUE(store_.objects.empty());
    EXPECT_TRUE(store_.uploads.empty());
  }

  using Lines = std::vector<std::string>;
  FakeEnvironment environment_;
  Cancellation cancellation_;
  S3Settings settings_;
  S3Limits limits_;
  FakeStore store_;
  std::chrono::seconds ahead_{0};
  std::unique_ptr<S3Storage> storage_;
  ProbeReport report_;
};

TEST_F(S3ProbeTest, IsContentWithAGoodStore) {
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{});
  Lines items;
  for (const ProbeRow& row : report_.rows()) items.push_back(row.item);
  EXPECT_EQ(items, (Lines{"credentials", "tls", "reachable", "region", "clock", "put", "get",
                          "range get", "list", "head", "conditional put", "multipart upload",
                          "multipart list", "multipart abort", "delete"}));
  EXPECT_EQ(Row("credentials").detail, "from the server's environment");
  EXPECT_EQ(Row("region").detail, "us-east-1, from pgbackup.s3_region");
  ExpectNothingLeft();
  for (const SeenRequest& request : store_.seen)
    if (request.path != "/bucket") {
      EXPECT_EQ(request.path.rfind("/bucket/p/.pgbackup-check/0011/", 0), 0u) << request.path;
    }
}

struct Denial {
  const char* permission;
  const char* on;  // what the hint names
  bool (*matches)(const SeenRequest&);
  std::vector<std::string> troubles;
};

TEST_F(S3ProbeTest, NamesThePermissionThatIsMissing) {
  const char* const objects = "arn:aws:s3:::bucket/p/*";
  const char* const bucket = "arn:aws:s3:::bucket";
  const Denial denials[] = {
      {"s3:PutObject",
       objects,
       [](const SeenRequest& request) {
         return request.method == "PUT" || (request.method == "POST" && request.Has("uploads"));
       },
       {"put: error", "get: skipped", "range get: skipped", "head: skipped",
        "conditional put: skipped", "multipart upload: skipped", "multipart abort: skipped"}},
      {"s3:GetObject",
       objects,
       [](const SeenRequest& request) {
         return (request.method == "GET" || request.method == "HEAD") &&
                request.path != "/bucket" && !request.Has("uploadId");
       },
       {"get: error", "range get: skipped", "head: skipped"}},
      {"s3:ListBucket",
       bucket,
       [](const SeenRequest& request) { return request.Has("list-type"); },
       {"list: error", "head: skipped"}},
      {"s3:DeleteObject",
       objects,
       [](const SeenRequest& request) {
         return request.method == "DELETE" && !request.Has("uploadId");
       },
       {"delete: error"}},
      {"s3:AbortMultipartUpload",
       objects,
       [](const SeenRequest& request) {
         return request.method == "DELETE" && request.Has("uploadId");
       },
       {"multipart abort: error"}},
      {"s3:ListBucketMultipartUploads",
       bucket,
       [](const SeenRequest& request) {
         return request.path == "/bucket" && request.Has("uploads");
       },
       {"multipart list: error"}}};
  for (const Denial& denial : denials) {
    store_.objects.clear();
    store_.uploads.clear();
    store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (denial.matches(request)) return ErrorAnswer(403, "AccessDenied");
      return std::nullopt;
    };
    const bool left = Probe();
    EXPECT_EQ(Troubles(), denial.troubles) << denial.permission;
    const std::string item = denial.troubles[0].substr(0, denial.troubles[0].find(':'));
    EXPECT_EQ(Row(item).hint.rfind(std::string("Allow ") + denial.permission + " on " + denial.on +
                                       " to these credentials",
                                   0),
              0u)
        << Row(item).hint;
    EXPECT_EQ(left, !store_.objects.empty() || !store_.uploads.empty()) << denial.permission;
  }
}

TEST_F(S3ProbeTest, ManagesWithoutLookingAtParts) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "GET" && request.Has("uploadId")) return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{});
}

TEST_F(S3ProbeTest, TriesNothingMoreWithAWrongSecret) {
  store_.before = [](const SeenRequest&) -> std::optional<HttpResponse> {
    return ErrorAnswer(403, "SignatureDoesNotMatch");
  };
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Row("reachable").status, ProbeStatus::kError);
  EXPECT_NE(Row("reachable").detail.find("the secret key"), std::string::npos);
  EXPECT_EQ(Troubles().size(), 13u);
  EXPECT_LE(store_.seen.size(), 2u);
}

TEST_F(S3ProbeTest, TriesNothingWithoutCredentials) {
  environment_.variables = {{"AWS_EC2_METADATA_DISABLED", "true"}};
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Row("credentials").status, ProbeStatus::kError);
  EXPECT_EQ(Row("reachable").status, ProbeStatus::kSkipped);
  EXPECT_TRUE(store_.seen.empty());
}

TEST_F(S3ProbeTest, WarnsWhenTheClocksDiffer) {
  for (const auto& [ahead, status, words] : std::vector<std::tuple<int, ProbeStatus, std::string>>{
           {0, ProbeStatus::kOk, "agree"},
           {59, ProbeStatus::kOk, "59 seconds ahead of"},
           {61, ProbeStatus::kWarning, "61 seconds ahead of"},
           {-61, ProbeStatus::kWarning, "seconds behind"},
           {-4000, ProbeStatus::kWarning, "seconds behind"}}) {
    ahead_ = std::chrono::seconds(ahead);
    EXPECT_FALSE(Probe());
    EXPECT_EQ(Row("clock").status, status) << ahead;
    EXPECT_NE(Row("clock").detail.find(words), std::string::npos) << Row("clock").detail;
  }
}

TEST_F(S3ProbeTest, WorksOnWhenTheStoreInsistsOnItsClock) {
  ahead_ = std::chrono::hours(1);
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("x-amz-date") == AmzDate(environment_.Now() + ahead_)) return std::nullopt;
    return ErrorAnswer(403, "RequestTimeTooSkewed",
                       {{"date", HttpDate(environment_.Now() + ahead_)}});
  };
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{"clock: warning"});
}

TEST_F(S3ProbeTest, WarnsAboutAStoreWithoutConditionalWrites) {
  store_.refuses_conditions_with = 501;
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{"conditional put: warning"});
  EXPECT_NE(Row("conditional put").detail.find("does not do conditional writes"),
            std::string::npos);
  ExpectNothingLeft();
}

TEST_F(S3ProbeTest, WarnsAboutAStoreThatHidesUnfinishedUploads) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.path == "/bucket" && request.Has("uploads"))
      return Answer(200, "<ListMultipartUploadsResult/>");
    return std::nullopt;
  };
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{"multipart list: warning"});
}

TEST_F(S3ProbeTest, NoticesAnAbortThatDoesNothing) {
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "DELETE" && request.Has("uploadId")) return Answer(204);
    return std::nullopt;
  };
  EXPECT_TRUE(Probe());
  EXPECT_EQ(Troubles(), Lines{"multipart abort: error"});
}

TEST_F(S3ProbeTest, NoticesBytesThatAreNotThoseWritten) {
  store_.after = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "GET" && request.path != "/bucket" && !request.Has("uploadId") &&
        request.Header("range").rfind("bytes=0-", 0) == 0)
      return Answer(200, std::string(2000, 'x'), {{"content-length", "2000"}});
    return std::nullopt;
  };
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Row("get").status, ProbeStatus::kError);
  ExpectNothingLeft();
}

TEST_F(S3ProbeTest, TellsWhereTheRegionComesFrom) {
  settings_.region.clear();
  Probe();
  EXPECT_EQ(Row("region").detail, "us-east-1, the default");
  environment_.variables["AWS_REGION"] = "us-west-2";
  Probe();
  EXPECT_EQ(Row("region").detail, "us-west-2, from AWS_REGION");
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("authorization").find("/eu-central-1/") != std::string::npos)
      return std::nullopt;
    return ErrorAnswer(400, "AuthorizationHeaderMalformed",
                       {{"x-amz-bucket-region", "eu-central-1"}});
  };
  Probe();
  EXPECT_EQ(Row("region").detail, "eu-central-1, discovered; not the one in AWS_REGION");
  environment_.variables.erase("AWS_REGION");
  Probe();
  EXPECT_EQ(Row("region").detail, "eu-central-1, discovered");
  settings_.region = "us-west-2";
  Probe();
  EXPECT_EQ(Row("region").status, ProbeStatus::kWarning);
  EXPECT_NE(Row("region").hint.find("pgbackup.s3_region = 'eu-central-1'"), std::string::npos);
}

TEST_F(S3ProbeTest, WarnsAboutPlainHttpToAnotherMachine) {
  for (const auto& [endpoint, status] : std::vector<std::pair<std::string, ProbeStatus>>{
           {"http://127.0.0.1:9000", ProbeStatus::kOk},
           {"http://localhost", ProbeStatus::kOk},
           {"http://[::1]:9000", ProbeStatus::kOk},
           {"https://store.example", ProbeStatus::kOk},
           {"http://store.example:9000", ProbeStatus::kWarning},
           {"http://localhost.example", ProbeStatus::kWarning}}) {
    settings_.endpoint = endpoint;
    Probe();
    EXPECT_EQ(Row("tls").status, status) << endpoint;
  }
}

TEST_F(S3ProbeTest, WritesNothingThatIsLocked) {
  settings_.object_lock_mode = "governance";
  settings_.object_lock_days = 30;
  store_.object_lock =
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
      "</ObjectLockConfiguration>";
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), Lines{});
  EXPECT_NE(Row("object lock").detail.find("a lock of 30 days (governance)"), std::string::npos);
  for (const SeenRequest& request : store_.seen)
    EXPECT_EQ(request.Header("x-amz-object-lock-mode"), "") << request.method;
  ExpectNothingLeft();
}

TEST_F(S3ProbeTest, SaysThatTheBucketHasNoObjectLock) {
  settings_.object_lock_mode = "governance";
  settings_.object_lock_days = 1;
  Probe();
  EXPECT_EQ(Troubles(), Lines{"object lock: error"});
  store_.before = [](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Has("object-lock")) return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  Probe();
  EXPECT_EQ(Troubles(), Lines{"object lock: warning"});
  EXPECT_NE(Row("object lock").hint.find("s3:GetBucketObjectLockConfiguration"), std::string::npos);
}

TEST_F(S3ProbeTest, MakesNoObjectWhereTheBucketLocksThemAll) {
  store_.object_lock =
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
      "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
      "</ObjectLockConfiguration>";
  EXPECT_FALSE(Probe());
  EXPECT_EQ(Troubles(), (Lines{"object lock: warning", "put: skipped", "get: skipped",
                               "range get: skipped", "head: skipped", "conditional put: skipped"}));
  EXPECT_EQ(Row("multipart abort").status, ProbeStatus::kOk);
  for (const SeenRequest& request : store_.seen)
    EXPECT_FALSE(request.method == "PUT" && !request.Has("partNumber"));
  ExpectNothingLeft();
}

TEST_F(S3ProbeTest, WarnsWhereDeletedObjectsAreKept) {
  store_.versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  Probe();
  EXPECT_EQ(Troubles(), Lines{"versions: warning"});
  EXPECT_NE(Row("versions").hint.find("noncurrent versions"), std::string::npos);
  const auto rule = [](const std::string& status) {
    return "<LifecycleConfiguration><Rule><Status>" + status +
           "</Status><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>"
           "</NoncurrentVersionExpiration></Rule></LifecycleConfiguration>";
  };
  store_.lifecycle = rule("Enabled");
  Probe();
  EXPECT_EQ(Troubles(), Lines{});
  EXPECT_EQ(Row("versions").status, ProbeStatus::kOk);
  store_.lifecycle = rule("Disabled");
  Probe();
  EXPECT_EQ(Troubles(), Lines{"versions: warning"});
  store_.versioning =
      "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
  Probe();
  EXPECT_EQ(Troubles(), Lines{});
}

TEST_F(S3ProbeTest, WhoMayNotAskAboutVersionsMissesNothing) {
  for (const int status : {400, 403, 404, 405, 500, 501}) {
    store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
      if (request.Has("versioning")) return ErrorAnswer(status, "");
      return std::nullopt;
    };
    Probe();
    EXPECT_EQ(Troubles(), Lines{}) << status;
  }
}

TEST_F(S3ProbeTest, MakesRowsOfWhateverFails) {
  // Each request in turn fails as if the store were broken from then on.
  Probe();
  const size_t requests = store_.seen.size();
  for (size_t good = 0; good < requests; ++good) {
    store_.objects.clear();
    store_.uploads.clear();
    store_.before = [good, count = size_t{0}](const SeenRequest&) mutable {
      return ++count > good ? std::optional(ErrorAnswer(500, "InternalError")) : std::nullopt;
    };
    const bool left = Probe();
    EXPECT_FALSE(Troubles().empty()) << good;
    EXPECT_TRUE(left || (store_.objects.empty() && store_.uploads.empty())) << good;
  }
}

TEST_F(S3ProbeTest, EndsWhenItIsCancelled) {
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "PUT") cancellation_.Cancel();
    return std::nullopt;
  };
  EXPECT_EQ(ErrorOf([&] { Probe(); }).kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace pgbackup
