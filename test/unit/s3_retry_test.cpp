#include "core/http/retry.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kStart{std::chrono::hours(1)};

RetryPolicy Policy() {
  RetryPolicy policy;
  policy.first_wait = milliseconds(100);
  policy.longest_wait = milliseconds(1000);
  policy.window = milliseconds(10'000);
  return policy;
}

TEST(S3Retry, TheLimitOfTheWaitDoublesUpToACap) {
  Retry retry(Policy(), [] { return 0.5; });
  for (const int expected : {50, 100, 200, 400, 500, 500, 500})
    EXPECT_EQ(retry.AfterFailure(kStart), milliseconds(expected));
}

TEST(S3Retry, TheWaitIsAnythingBetweenNothingAndTheLimit) {
  Retry least(Policy(), [] { return 0.0; });
  EXPECT_EQ(least.AfterFailure(kStart), milliseconds(0));
  Retry most(Policy(), [] { return 0.999; });
  EXPECT_EQ(most.AfterFailure(kStart), milliseconds(99));
}

TEST(S3Retry, GivesUpAtTheEndOfTheWindowThatTheFirstFailureOpens) {
  Retry retry(Policy(), [] { return 0.5; });
  EXPECT_EQ(retry.deadline(), std::nullopt);
  EXPECT_TRUE(retry.AfterFailure(kStart));
  EXPECT_EQ(retry.deadline(), kStart + seconds(10));
  EXPECT_TRUE(retry.AfterFailure(kStart + seconds(9)));
  EXPECT_EQ(retry.AfterFailure(kStart + milliseconds(9900)), std::nullopt);
}

TEST(S3Retry, HonoursRetryAfterUpToTheDeadline) {
  Retry retry(Policy(), [] { return 0.5; });
  EXPECT_EQ(retry.AfterFailure(kStart, seconds(5)), seconds(5));
  EXPECT_EQ(retry.AfterFailure(kStart + seconds(5), seconds(4)), seconds(4));
  EXPECT_EQ(retry.AfterFailure(kStart + seconds(9), seconds(4)), std::nullopt);
}

TEST(S3Retry, NeverGoesPastTheEndItWasGiven) {
  Retry retry(
      Policy(), [] { return 0.5; }, kStart + seconds(1));
  EXPECT_EQ(retry.deadline(), kStart + seconds(1));
  EXPECT_TRUE(retry.AfterFailure(kStart));
  EXPECT_EQ(retry.AfterFailure(kStart + seconds(1)), std::nullopt);
}

TEST(S3Retry, ProgressStartsAfresh) {
  Retry retry(Policy(), [] { return 0.5; });
  for (int i = 0; i < 5; ++i) retry.AfterFailure(kStart);
  retry.Progress();
  EXPECT_EQ(retry.AfterFailure(kStart + seconds(60)), milliseconds(50));
  EXPECT_EQ(retry.deadline(), kStart + seconds(70));
}

TEST(S3Retry, TellsWhatMayPassFromWhatWillNot) {
  for (const int status : {408, 429, 499, 500, 502, 503, 504, 599})
    EXPECT_EQ(Classify(status, ""), Reaction::kRetry) << status;
  for (const int status : {400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 505, 507})
    EXPECT_EQ(Classify(status, ""), Reaction::kFail) << status;
  EXPECT_EQ(Classify(400, "RequestTimeout"), Reaction::kRetry);
  EXPECT_EQ(Classify(409, "OperationAborted"), Reaction::kRetry);
  EXPECT_EQ(Classify(200, "InternalError"), Reaction::kRetry);
  EXPECT_EQ(Classify(200, "EntityTooSmall"), Reaction::kFail);
  EXPECT_EQ(Classify(403, "AccessDenied"), Reaction::kFail);
  EXPECT_EQ(Classify(403, "RequestTimeTooSkewed"), Reaction::kCorrectClock);
  EXPECT_EQ(Classify(400, "AuthorizationHeaderMalformed"), Reaction::kCorrectRegion);
  EXPECT_EQ(Classify(301, "PermanentRedirect"), Reaction::kCorrectRegion);
  EXPECT_EQ(Classify(301, ""), Reaction::kCorrectRegion);
  EXPECT_EQ(Classify(400, "XAmzContentSHA256Mismatch"), Reaction::kFail);
  for (const char* code : {"ExpiredToken", "InvalidToken", "InvalidTokenId", "InvalidAccessKeyId",
                           "SignatureDoesNotMatch"})
    EXPECT_EQ(Classify(403, code), Reaction::kRefreshCredentials) << code;
}

}  // namespace
}  // namespace pgbackup
