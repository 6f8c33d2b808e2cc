#include "core/http/retry.h"

#include <algorithm>

namespace pgbackup {

Retry::Retry(const RetryPolicy& policy, std::function<double()> random,
             std::optional<SteadyTime> at_latest)
    : policy_(policy), random_(std::move(random)), at_latest_(at_latest), deadline_(at_latest) {}

std::optional<std::chrono::milliseconds> Retry::AfterFailure(
    SteadyTime now, std::optional<std::chrono::seconds> retry_after) {
  if (failures_ == 0) {
    const SteadyTime window_end = now + policy_.window;
    deadline_ = at_latest_ ? std::min(*at_latest_, window_end) : window_end;
  }
  const int doublings = std::min(failures_++, 30);
  const double limit = std::min(
      static_cast<double>(policy_.longest_wait.count()),
      static_cast<double>(policy_.first_wait.count()) * static_cast<double>(1ull << doublings));
  std::chrono::milliseconds wait(static_cast<int64_t>(limit * random_()));
  if (retry_after) wait = std::max<std::chrono::milliseconds>(wait, *retry_after);
  if (now + wait >= *deadline_) return std::nullopt;
  return wait;
}

void Retry::Progress() {
  failures_ = 0;
  deadline_ = at_latest_;
}

Reaction Classify(int status, std::string_view code) {
  if (code == "RequestTimeTooSkewed") return Reaction::kCorrectClock;
  // Keys that were replaced look wrong before they look expired.
  for (const std::string_view outdated :
       {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
        "InvalidTokenId", "InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch"})
    if (code == outdated) return Reaction::kRefreshCredentials;
  if (code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect" ||
      code == "TemporaryRedirect" || code == "IllegalLocationConstraintException")
    return Reaction::kCorrectRegion;
  for (const std::string_view transient :
       {"RequestTimeout", "OperationAborted", "ConditionalRequestConflict", "SlowDown",
        "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException",
        "RequestLimitExceeded", "TooManyRequests", "IncompleteBody", "BadDigest"})
    if (code == transient) return Reaction::kRetry;
  switch (status) {
    case 301:
    case 307:
    case 308:
      return Reaction::kCorrectRegion;
    case 408:
    case 429:
    case 499:
      return Reaction::kRetry;
    case 501:  // not implemented, and will not be in a minute
    case 505:
    case 507:  // insufficient storage
      return Reaction::kFail;
    default:
      return status >= 500 ? Reaction::kRetry : Reaction::kFail;
  }
}

}  // namespace pgbackup
