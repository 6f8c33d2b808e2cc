#include "core/s3/s3_client.h"

#include <algorithm>
#include <cstring>

#include "core/base/sha256.h"
#include "core/http/http_headers.h"
#include "core/http/web_page.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kLeastTimeout{100};
constexpr size_t kLongestPage = 16'384;  // that messages quote from
// In one call.
constexpr int kMostRenewals = 3;          // of credentials
constexpr int kMostClockCorrections = 3;  // one of a store's servers may have a wrong clock

// Whether the store can have done what a failed try asked for.
bool LeavesOpen(TransportFailure failure) {
  return failure == TransportFailure::kStalled || failure == TransportFailure::kBroken ||
         failure == TransportFailure::kCancelled;
}

void ThrowIfCancelled(const S3Call& call, const CallControl& control, const S3Place& place) {
  for (const Cancellation* cancellation : control.cancellations)
    if (cancellation->IsCancelled())
      throw UnreachableError(call.purpose, place,
                             TransportError(TransportFailure::kCancelled, "cancelled"));
}

// Waits, until any of the cancellations.
void SleepUnlessCancelled(Environment& environment, std::chrono::milliseconds wait,
                          const CallControl& control) {
  // A sleep can watch one of them: wake often enough to notice the others.
  constexpr std::chrono::milliseconds kSlice{200};
  while (wait.count() > 0) {
    for (const Cancellation* cancellation : control.cancellations)
      if (cancellation->IsCancelled()) return;
    const auto slice = control.cancellations.size() > 1 ? std::min(wait, kSlice) : wait;
    environment.Sleep(slice, *control.cancellations.front());
    wait -= slice;
  }
}

}  // namespace

struct S3Client::Corrections {
  int credentials = 0;  // how often they were loaded anew: a call may outlive them more than once
  int clock = 0;        // how often its offset was set
  bool region = false;
};

S3Client::S3Client(Endpoint endpoint, std::string bucket, std::string ca_file,
                   const S3Limits& limits, std::unique_ptr<Transport> transport,
                   std::unique_ptr<CredentialsChain> credentials, Environment& environment,
                   HttpHeaders for_all, Throttle* throttle, std::string proxy)
    : bucket_(std::move(bucket)),
      ca_file_(std::move(ca_file)),
      proxy_(std::move(proxy)),
      limits_(limits),
      transport_(std::move(transport)),
      credentials_(std::move(credentials)),
      environment_(environment),
      for_all_(std::move(for_all)),
      throttle_(throttle),
      endpoint_(std::move(endpoint)) {}

Endpoint S3Client::CurrentEndpoint() {
  const std::lock_guard lock(mutex_);
  return endpoint_;
}

std::shared_ptr<const Credentials> S3Client::CurrentCredentials(const CallControl& control,
                                                                std::string* source) {
  auto credentials = credentials_->Get(control.cancellations);
  *source = credentials_->Source();
  return credentials;
}

std::string S3Client::Origin() {
  return CurrentEndpoint().Origin();
}

std::string S3Client::Region() {
  return CurrentEndpoint().region();
}

S3Place S3Client::Place(const Endpoint& endpoint) const {
  return {endpoint.Origin(), bucket_, endpoint.region(), ca_file_, proxy_};
}

WallTime S3Client::SigningTime() const {
  const std::lock_guard lock(mutex_);
  return environment_.Now() + clock_offset_;
}

void S3Client::NoteClock(const HttpResponse& response) {
  const auto store_time = ParseHttpDate(response.Header("date"));
  if (!store_time) return;
  const std::lock_guard lock(mutex_);
  clock_skew_ = *store_time - environment_.Now();
}

std::optional<std::chrono::nanoseconds> S3Client::ClockSkew() const {
  const std::lock_guard lock(mutex_);
  return clock_skew_;
}

std::optional<std::chrono::seconds> S3Client::ClockSkewInSeconds() const {
  const auto skew = ClockSkew();
  if (!skew) return std::nullopt;
  // The header has whole seconds: half of one is the least wrong.
  return std::chrono::duration_cast<std::chrono::seconds>(*skew + std::chrono::milliseconds(500));
}

double S3Client::Random() {
  uint32_t bits = 0;
  environment_.FillRandom(std::as_writable_bytes(std::span(&bits, 1)));
  return static_cast<double>(bits) / 4294967296.0;
}

// Ends a try that never stalls and never ends; 0 for none.
std::chrono::milliseconds S3Client::TimeoutOf(const S3Call& call) const {
  if (call.on_body || throttle_ != nullptr) return {};
  const std::chrono::milliseconds for_body(call.body.size() * 1000 / limits_.least_speed);
  return std::max(limits_.request_timeout, for_body);
}

HttpRequest S3Client::Prepare(const S3Call& call, const std::string& payload_hash,
                              const Endpoint& endpoint, const Credentials& credentials) {
  const WallTime now = SigningTime();
  SigningRequest signing;
  signing.method = call.method;
  signing.path = endpoint.Path(call.key);
  signing.query = call.query;
  signing.payload_hash = payload_hash;
  signing.headers = call.headers;
  signing.headers.insert(signing.headers.end(), for_all_.begin(), for_all_.end());
  if (call.try_headers)
    for (auto& header : call.try_headers()) signing.headers.push_back(std::move(header));
  signing.headers.emplace_back("host", endpoint.Host());
  signing.headers.emplace_back("x-amz-content-sha256", payload_hash);
  signing.headers.emplace_back("x-amz-date", AmzDate(now));
  if (!credentials.session_token.empty())
    signing.headers.emplace_back("x-amz-security-token", credentials.session_token);
  Signer signer({credentials.access_key_id, credentials.secret_access_key, endpoint.region()});

  HttpRequest request;
  request.method = call.method;
  request.url = endpoint.Origin() + signing.path;
  if (!call.query.empty()) request.url += "?" + CanonicalQuery(call.query);
  request.headers = signing.headers;
  request.headers.emplace_back("authorization", signer.Authorization(signing, now));
  request.body = call.body;
  return request;
}

// Does what a failed try calls for; returns whether the same call may now be tried again at once.
bool S3Client::React(Reaction reaction, const HttpResponse& response, const S3ErrorBody& error,
                     const Endpoint& used_endpoint, const std::shared_ptr<const Credentials>& used,
                     const CallControl& control, Corrections* corrections) {
  switch (reaction) {
    case Reaction::kRefreshCredentials:
      return ++corrections->credentials <= kMostRenewals &&
             credentials_->Refresh(used, control.cancellations);
    case Reaction::kCorrectClock: {
      const auto store_time = ParseHttpDate(response.Header("date"));
      if (++corrections->clock > kMostClockCorrections || !store_time) return false;
      const std::lock_guard lock(mutex_);
      clock_offset_ = *store_time - environment_.Now();
      return true;
    }
    case Reaction::kCorrectRegion: {
      std::string region(response.Header("x-amz-bucket-region"));
      if (region.empty()) region = error.region;
      if (std::exchange(corrections->region, true) || region.empty() || !IsRegionName(region) ||
          region == used_endpoint.region())
        return false;
      const std::lock_guard lock(mutex_);
      endpoint_ = endpoint_.InRegion(region);
      return true;
    }
    default:
      return false;
  }
}

S3Answer S3Client::Call(const S3Call& call, const CallControl& control) {
  const std::string payload_hash = !call.payload_hash.empty() ? call.payload_hash
                                   : call.body.empty()        ? std::string(kEmptyPayloadHash)
                                                              : ToHex(Sha256::Of(call.body));
  RetryPolicy policy = limits_.retry;
  if (!answered_) policy.window = std::min(policy.window, limits_.first_contact_window);
  Retry retry(
      policy, [this] { return Random(); }, control.at_latest);
  Corrections corrections;
  for (;;) {
    const Endpoint endpoint = CurrentEndpoint();
    const S3Place place = Place(endpoint);
    ThrowIfCancelled(call, control, place);
    const auto credentials = credentials_->Get(control.cancellations);
    HttpRequest request = Prepare(call, payload_hash, endpoint, *credentials);
    request.cancellations = control.cancellations;
    request.stall_timeout = limits_.stall_timeout;
    if (throttle_ != nullptr && !control.at_latest)
      request.pace = [&](size_t wanted) {
        wanted = std::min(wanted, throttle_->Slice());
        throttle_->Take(wanted, *control.cancellations.front());
        return wanted;
      };
    const auto left_until = [&](SteadyTime end) {
      return std::max(kLeastTimeout, std::chrono::duration_cast<std::chrono::milliseconds>(
                                         end - environment_.SteadyNow()));
    };
    if (retry.deadline())
      request.stall_timeout = std::min(request.stall_timeout, left_until(*retry.deadline()));
    request.timeout = control.at_latest ? left_until(*control.at_latest) : TimeoutOf(call);
    bool progress = false;
    std::string page;  // what came instead of a content
    if (call.on_body)
      request.on_body = [&](const HttpResponse& head, std::span<const std::byte> data) {
        if (IsWebPage(head, /*is_body_unseen=*/true)) {
          if (page.size() < kLongestPage)
            page.append(reinterpret_cast<const char*>(data.data()), data.size());
          return;
        }
        progress = true;
        call.on_body(head, data);
      };

    std::optional<Error> failure;  // the one to throw if this was the last try
    std::optional<std::chrono::seconds> retry_after;
    try {
      S3Answer answer;
      answer.response = transport_->Perform(request);
      NoteClock(answer.response);
      HttpResponse& response = answer.response;
      if (!page.empty()) response.body = std::move(page);
      // A 200 may have been sent before the store knew better: its body tells.
      const bool success = response.status >= 200 && response.status < 300;
      const bool is_page =
          IsWebPage(response, success && (call.method == "HEAD" || call.on_body != nullptr));
      // In the place of a store that has answered before, a page may pass.
      const bool may_pass = answered_;
      if (!is_page) answered_ = true;
      if (success && !is_page && response.body.find("<Error") == std::string::npos) return answer;
      answer.error = ParseErrorBody(response.body);
      const bool unreadable = success && answer.error.code.empty();
      const Reaction reaction = is_page && success ? may_pass ? Reaction::kRetry : Reaction::kFail
                                : unreadable       ? Reaction::kRetry
                                                   : Classify(response.status, answer.error.code);
      const bool accepted = std::find(call.accepted.begin(), call.accepted.end(),
                                      response.status) != call.accepted.end();
      // That the bucket is missing is never the "not found" somebody is prepared for.
      if (accepted && !is_page && reaction == Reaction::kFail &&
          answer.error.code != "NoSuchBucket")
        return answer;
      if (React(reaction, response, answer.error, endpoint, credentials, control, &corrections))
        continue;
      failure = RefusedError(call.purpose, place, response, answer.error);
      if (reaction != Reaction::kRetry) throw *failure;
      // Neither a failure of the store nor an <Error> in a 200 says that nothing was done.
      if (call.maybe_done != nullptr && (success || response.status >= 500))
        *call.maybe_done = true;
      retry_after = ParseRetryAfter(response.Header("retry-after"));
    } catch (const TransportError& error) {
      if (call.maybe_done != nullptr && LeavesOpen(error.failure())) *call.maybe_done = true;
      failure = UnreachableError(call.purpose, place, error);
      if (error.failure() == TransportFailure::kCancelled ||
          error.failure() == TransportFailure::kTls ||
          error.failure() == TransportFailure::kNotHttp ||
          error.failure() == TransportFailure::kImpossible)
        throw *failure;
    }
    if (progress) retry.Progress();
    const auto wait = retry.AfterFailure(environment_.SteadyNow(), retry_after);
    if (!wait) throw *failure;
    SleepUnlessCancelled(environment_, *wait, control);
  }
}

std::string S3Client::Presign(const std::string& key, int expires) {
  const Endpoint endpoint = CurrentEndpoint();
  const auto credentials = credentials_->Get();
  SigningRequest request;
  request.method = "GET";
  request.path = endpoint.Path(key);
  request.headers.emplace_back("host", endpoint.Host());
  request.query = for_all_;
  Signer signer({credentials->access_key_id, credentials->secret_access_key, endpoint.region()});
  return endpoint.Origin() + request.path + "?" +
         signer.PresignedQuery(request, credentials->session_token, SigningTime(), expires);
}

}  // namespace pgbackup
