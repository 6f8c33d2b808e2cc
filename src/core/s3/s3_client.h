// Sends S3 requests: signs each try anew, retries what may pass, corrects what the store corrects.
//
// One call is one logical request. Between its tries the credentials may be renewed, the clock
// offset taken from the store (a few times), the region learned (once); all of it is kept for later
// calls. Safe for several threads at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/aws/credentials.h"
#include "core/aws/sigv4.h"
#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/http/http.h"
#include "core/http/retry.h"
#include "core/s3/endpoint.h"
#include "core/s3/s3_error.h"
#include "core/s3/upload_plan.h"
#include "core/storage/throttle.h"

namespace pgbackup {

// How patient a client is, and how much it asks for at a time.
struct S3Limits {
  RetryPolicy retry;
  // The retry window while the store has never answered: most likely a setting is wrong.
  std::chrono::milliseconds first_contact_window{30'000};
  std::chrono::milliseconds stall_timeout{60'000};
  // The longest one try may take, and what a large body may take if that is longer. Not for what is
  // streamed to somebody who may be slow, nor under a bandwidth limit.
  std::chrono::milliseconds request_timeout{3'600'000};
  uint64_t least_speed = 16u << 10;  // bytes per second
  // All the time that cleaning up after a failure or a cancel may take.
  std::chrono::milliseconds cleanup_window{8'000};
  int page_size = 1000;              // names per page of a listing
  uint64_t range_size = 8ull << 20;  // bytes per request for a big object
  uint64_t most_parts = kMostParts;  // of an object; a longer stream continues in the next one
};

// Who may stop a call, and when it has to end whatever happens.
struct CallControl {
  std::vector<const Cancellation*> cancellations;  // at least one
  std::optional<SteadyTime> at_latest;
};

struct S3Call {
  std::string method;
  std::string key;  // empty: the bucket itself
  NameValues query;
  HttpHeaders headers;
  std::span<const std::byte> body;
  std::string payload_hash;   // of the body, hexadecimal; empty: computed
  std::vector<int> accepted;  // statuses handed back besides 2xx
  S3Purpose purpose;
  // Called before every try for headers that depend on what has come through so far.
  std::function<HttpHeaders()> try_headers;
  // See HttpRequest. Bytes that came through count as progress: the retry window starts afresh.
  std::function<void(const HttpResponse& head, std::span<const std::byte>)> on_body;
  // When given, set to true once a try ended in a way that leaves open whether the store did it.
  bool* maybe_done = nullptr;
};

struct S3Answer {
  HttpResponse response;
  S3ErrorBody error;  // of an accepted failure
};

class S3Client {
 public:
  // Everything passed by reference or pointer outlives the client. `for_all`: headers of every
  // request; `throttle`, if any, limits what is sent; `ca_file` and `proxy` are the transport's,
  // for hints.
  S3Client(Endpoint endpoint, std::string bucket, std::string ca_file, const S3Limits& limits,
           std::unique_ptr<Transport> transport, std::unique_ptr<CredentialsChain> credentials,
           Environment& environment, HttpHeaders for_all, Throttle* throttle,
           std::string proxy = {});

  // Returns a 2xx answer, or one whose status is `accepted`; throws Error for everything else.
  S3Answer Call(const S3Call& call, const CallControl& control);

  // A URL with which anybody can read the object `key` for `expires` seconds, without asking the
  // store.
  std::string Presign(const std::string& key, int expires);

  // How far the store's clock is ahead of this machine's, to about a second, by its last answer;
  // nullopt while it has not told.
  std::optional<std::chrono::nanoseconds> ClockSkew() const;
  // The same in whole seconds, the nearest.
  std::optional<std::chrono::seconds> ClockSkewInSeconds() const;

  // When the credentials in use expire, if nothing renews them; nullopt also before the first call.
  std::optional<WallTime> CredentialsEnd() const { return credentials_->SourceEnds(); }

  // The credentials that are used now; throws when there are none. `source` gets where they come
  // from, in words.
  std::shared_ptr<const Credentials> CurrentCredentials(const CallControl& control,
                                                        std::string* source);
  // Where requests go, "https://host:port", and the region they are signed for, as the store has
  // corrected it.
  std::string Origin();
  std::string Region();

  const S3Limits& limits() const { return limits_; }
  Environment& environment() const { return environment_; }

 private:
  struct Corrections;  // what one call has tried already

  std::chrono::milliseconds TimeoutOf(const S3Call& call) const;
  HttpRequest Prepare(const S3Call& call, const std::string& payload_hash, const Endpoint& endpoint,
                      const Credentials& credentials);
  bool React(Reaction reaction, const HttpResponse& response, const S3ErrorBody& error,
             const Endpoint& used_endpoint, const std::shared_ptr<const Credentials>& used,
             const CallControl& control, Corrections* corrections);
  // Now, by the clock that the store insists on.
  WallTime SigningTime() const;
  void NoteClock(const HttpResponse& response);
  Endpoint CurrentEndpoint();
  S3Place Place(const Endpoint& endpoint) const;
  double Random();

  const std::string bucket_;
  const std::string ca_file_;
  const std::string proxy_;
  const S3Limits limits_;
  const std::unique_ptr<Transport> transport_;
  const std::unique_ptr<CredentialsChain> credentials_;
  Environment& environment_;
  const HttpHeaders for_all_;
  Throttle* const throttle_;
  std::atomic<bool> answered_{false};

  mutable std::mutex mutex_;  // guards what follows
  Endpoint endpoint_;
  std::chrono::nanoseconds clock_offset_{0};  // what signing adds to the time
  std::optional<std::chrono::nanoseconds> clock_skew_;
};

}  // namespace pgbackup
