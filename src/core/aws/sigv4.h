// AWS Signature Version 4: what goes into the Authorization header of a request.
//
// Pure: the time is passed in, nothing is sent. Follows "Authenticating Requests (AWS Signature
// Version 4)" of the S3 API reference; tested on the examples published there and in AWS's test
// suite. Signed by us rather than by libcurl, whose own signer differs from version to version.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/environment.h"
#include "core/base/sha256.h"

namespace pgbackup {

// The SHA-256 of nothing, in hexadecimal.
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// Percent-encodes everything but A-Z a-z 0-9 - . _ ~, byte by byte; '/' too unless `keep_slashes`.
std::string PercentEncode(std::string_view text, bool keep_slashes = false);

// The reverse; with `plus_is_space` also '+' to ' '. A stray '%' stays as it is.
std::string PercentDecode(std::string_view text, bool plus_is_space = false);

// Names and values as they are, not encoded. A name without a value has an empty one.
using NameValues = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=" sorted and encoded, as it is both signed and sent.
std::string CanonicalQuery(const NameValues& query);

struct SigningRequest {
  std::string method;
  std::string path;          // percent-encoded once, starts with '/'
  NameValues query;          // not encoded
  NameValues headers;        // all that are to be signed, "host" among them; names in any case
  std::string payload_hash;  // hexadecimal SHA-256, or "UNSIGNED-PAYLOAD"
};

// Who signs, and for what.
struct SigningScope {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service = "s3";
};

// "20130524T000000Z", the value of x-amz-date.
std::string AmzDate(WallTime time);

// Signs requests of one scope; keeps the signing key, which changes once a day. Not for several
// threads at once.
class Signer {
 public:
  explicit Signer(SigningScope scope) : scope_(std::move(scope)) {}

  // The value of the Authorization header. `time` must be the one in the x-amz-date header.
  std::string Authorization(const SigningRequest& request, WallTime time);

  // The query of a URL that anybody may use for `expires` seconds: `request.query` and the
  // X-Amz-… parameters with the signature, encoded. `session_token` may be empty.
  std::string PresignedQuery(SigningRequest request, const std::string& session_token,
                             WallTime time, int expires);

 private:
  std::string Signature(const std::string& canonical_request, const std::string& amz_date);
  std::string CredentialScope(const std::string& amz_date) const;

  SigningScope scope_;
  std::string key_date_;  // the day `key_` is for
  Sha256Digest key_{};
};

// The canonical form of a request, for tests and for a look at what was signed.
std::string CanonicalRequest(const SigningRequest& request);

}  // namespace pgbackup
