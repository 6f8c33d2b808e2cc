// When to try again, and when to give up. Pure: time and randomness are passed in.
//
// Waits follow "full jitter": uniformly between nothing and a limit that doubles with every failure
// up to a cap, so that many clients do not come back in step. A store's Retry-After is the least
// wait. The window opens with the first failure: a slow but successful request is never cut, and
// whoever gets through again (a resumed download) starts afresh.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "core/base/environment.h"

namespace pgbackup {

struct RetryPolicy {
  std::chrono::milliseconds first_wait{200};  // the limit of the first wait
  std::chrono::milliseconds longest_wait{20'000};
  std::chrono::milliseconds window{300'000};  // from the first failure to giving up
};

class Retry {
 public:
  // `random` returns a number in [0, 1). `at_latest`, when given, is a point in time past which no
  // try begins, whatever the window says.
  Retry(const RetryPolicy& policy, std::function<double()> random,
        std::optional<SteadyTime> at_latest = std::nullopt);

  // A try failed at `now`: how long to wait before the next, or nullopt to give up, which is when
  // the wait would end past the deadline.
  std::optional<std::chrono::milliseconds> AfterFailure(
      SteadyTime now, std::optional<std::chrono::seconds> retry_after = std::nullopt);

  // Something came through: the next failure is a first one.
  void Progress();

  // When trying ends; nullopt before the first failure if nobody set an end.
  std::optional<SteadyTime> deadline() const { return deadline_; }

 private:
  RetryPolicy policy_;
  std::function<double()> random_;
  std::optional<SteadyTime> at_latest_;
  std::optional<SteadyTime> deadline_;
  int failures_ = 0;
};

// What to do about an answer that is not a success.
enum class Reaction {
  kFail,                // it will not get better
  kRetry,               // wait, then the same again
  kRefreshCredentials,  // load the credentials anew, then the same again, once
  kCorrectClock,        // take the store's time, then the same again, once
  kCorrectRegion,       // take the region the store names, then the same again, once
};

// By HTTP status and the store's error code (empty when the answer had no body).
Reaction Classify(int status, std::string_view code);

}  // namespace pgbackup
