#include "core/s3/s3_error.h"

#include "core/base/utf8.h"

namespace pgbackup {
namespace {

struct Meaning {
  ErrorKind kind;
  std::string reason;
  std::string hint;
};

// Text of a store, made fit for one line of a log.
std::string Printable(std::string_view text) {
  constexpr size_t kLongest = 300;
  const std::string_view start = CutUtf8(text, kLongest);
  std::string line = ToValidUtf8(start);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return start.size() < text.size() ? line + "…" : line;
}

Meaning MeaningOfStatus(int status, const S3Purpose& purpose, const S3Place& place);

Meaning MeaningOfCode(const std::string& code, const S3Purpose& purpose, const S3Place& place) {
  const std::string& bucket = place.bucket;
  if (code == "AccessDenied" || code == "AllAccessDisabled" || code == "AccountProblem")
    return {ErrorKind::kDenied, "access denied",
            "Allow " + purpose.permission + " on " + purpose.resource +
                " to these credentials, and look for a bucket policy that denies it."};
  if (code == "InvalidAccessKeyId")
    return {ErrorKind::kDenied, "the store does not know the access key id",
            "Check the access key id in pgbackup.s3_credentials_file (profile "
            "pgbackup.s3_profile), and that it belongs to this store."};
  if (code == "SignatureDoesNotMatch")
    return {ErrorKind::kDenied, "the secret key (or the access key id) is wrong",
            "Check the keys in pgbackup.s3_credentials_file (profile "
            "pgbackup.s3_profile); if they are right, check pgbackup.s3_region and whether a proxy "
            "changes requests."};
  if (code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidToken" ||
      code == "TokenRefreshRequired")
    return {ErrorKind::kDenied, "the session token is expired or invalid",
            "Renew the temporary credentials, or use long-lived keys."};
  if (code == "RequestTimeTooSkewed")
    return {ErrorKind::kDenied, "this machine's clock differs too much from the store's",
            "Set the clock of this machine, for example with NTP."};
  if (code == "NoSuchBucket")
    return {ErrorKind::kNotFound, "bucket \"" + bucket + "\" does not exist",
            "Create the bucket, or correct pgbackup.storage or pgbackup.s3_endpoint."};
  if (code == "NoSuchKey") return {ErrorKind::kNotFound, "it does not exist", {}};
  if (code == "NoSuchUpload")
    return {ErrorKind::kUnavailable, "the unfinished upload has disappeared",
            "Look for a lifecycle rule that removes unfinished uploads too early."};
  if (code == "PreconditionFailed") return {ErrorKind::kAlreadyExists, "it exists already", {}};
  if (code == "PermanentRedirect" || code == "TemporaryRedirect" ||
      code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException")
    return {ErrorKind::kInvalid,
            "bucket \"" + bucket + "\" is not in region \"" + place.region + "\"",
            "Set pgbackup.s3_region to the bucket's region, and check pgbackup.s3_endpoint."};
  if (code == "QuotaExceeded" || code == "EntityTooLarge" || code == "InsufficientCapacity" ||
      code == "XMinioStorageFull")
    return {ErrorKind::kNoSpace, "the store's quota or capacity is exhausted",
            "Raise the quota, or let retention keep fewer backups."};
  // These can stand inside a 200, too.
  if (code == "InternalError") return MeaningOfStatus(500, purpose, place);
  if (code == "SlowDown" || code == "ServiceUnavailable")
    return MeaningOfStatus(503, purpose, place);
  if (code == "InvalidBucketName")
    return {ErrorKind::kInvalid, "the store does not accept the bucket name \"" + bucket + "\"",
            "Correct pgbackup.storage."};
  if (code == "InvalidObjectState")
    return {ErrorKind::kDenied, "the object is archived",
            "Have the store bring it back from its archive class first."};
  return {ErrorKind::kInternal, {}, {}};
}

bool Mentions(std::string text, const char* word) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text.find(word) != std::string::npos;
}

// Stores say with one code, and words of their own, what object lock has to do with it.
Meaning MeaningOfLock(const S3ErrorBody& body, const S3Purpose& purpose, const S3Place& place) {
  const bool object_lock = Mentions(body.message, "object lock");
  if (body.code == "ObjectLocked" || Mentions(body.message, "worm protected") ||
      (body.code == "AccessDenied" && object_lock))
    return {ErrorKind::kDenied, "its object lock has not ended",
            "Wait until its object lock has ended; it protects the object from everybody."};
  // Some stores give no words at all.
  const bool about_lock = object_lock || (purpose.locks && body.message.empty());
  if ((body.code == "InvalidRequest" || body.code == "InvalidArgument") && about_lock)
    return {ErrorKind::kInvalid, "the store refused the object lock",
            "Enable object lock on bucket \"" + place.bucket +
                "\" (most stores can only when it is made), or reset "
                "pgbackup.s3_object_lock_mode and pgbackup.s3_object_lock_days."};
  return {ErrorKind::kInternal, {}, {}};
}

// What a refusal has to do with the encryption of an object by a customer's key.
Meaning MeaningOfKey(const S3ErrorBody& body, const S3Purpose& purpose) {
  if (body.code != "InvalidRequest" && body.code != "InvalidArgument" &&
      body.code != "AccessDenied")
    return {ErrorKind::kInternal, {}, {}};
  const bool is_write = purpose.action == "write";
  if (purpose.has_key && !is_write && Mentions(body.message, "not applicable"))
    return {ErrorKind::kInvalid, "it is not encrypted with a key of yours",
            "Reset pgbackup.s3_sse_c_key_file to read what was stored before it was set."};
  const bool about_key = Mentions(body.message, "server side encryption") ||
                         Mentions(body.message, "encryption parameters") ||
                         Mentions(body.message, "md5 hash of the key");
  if (!about_key) return {ErrorKind::kInternal, {}, {}};
  if (is_write && purpose.has_key)
    return {ErrorKind::kInvalid, "the store refused the encryption key",
            "Check that the store offers encryption with customer keys (SSE-C), and over this "
            "endpoint; else reset pgbackup.s3_sse_c_key_file."};
  if (is_write) return {ErrorKind::kInternal, {}, {}};
  if (purpose.has_key)
    return {ErrorKind::kDenied, "the encryption key is not the one it was written with",
            "Point pgbackup.s3_sse_c_key_file at the file with the key it was written with."};
  return {ErrorKind::kDenied, "it is encrypted with a key of yours",
          "Set pgbackup.s3_sse_c_key_file to the file with the key it was written with."};
}

Meaning MeaningOfStatus(int status, const S3Purpose& purpose, const S3Place& place) {
  switch (status) {
    case 301:
    case 307:
    case 308:
      return MeaningOfCode("PermanentRedirect", purpose, place);
    case 401:
    case 403:
      return MeaningOfCode("AccessDenied", purpose, place);
    case 404:
      return MeaningOfCode("NoSuchKey", purpose, place);
    case 407:
      return {
          ErrorKind::kDenied, "the proxy asks for a password",
          "Let this machine use the proxy without one: pgbackup.s3_proxy cannot hold a password."};
    case 412:
      return MeaningOfCode("PreconditionFailed", purpose, place);
    case 413:
    case 507:
      return MeaningOfCode("QuotaExceeded", purpose, place);
    case 429:
    case 503:
      return {ErrorKind::kUnavailable, "the store is overloaded or unavailable",
              "Look at the store's health, or run fewer backups at the same time "
              "(pgbackup.max_concurrent, pgbackup.jobs)."};
    case 501:
      return {
          ErrorKind::kInvalid, "the store does not implement what was asked",
          "Reset those of pgbackup.s3_sse, s3_tags, s3_storage_class and s3_object_lock_mode "
          "that the store does not know, or check that pgbackup.s3_endpoint is an S3 endpoint."};
    default:
      break;
  }
  if (status >= 500)
    return {ErrorKind::kUnavailable, "the store failed", "Look at the store's health and logs."};
  return {ErrorKind::kInvalid, "the store refused the request",
          "Check that pgbackup.s3_endpoint (" + place.origin + ") is an S3 endpoint."};
}

}  // namespace

Error RefusedError(const S3Purpose& purpose, const S3Place& place, const HttpResponse& response,
                   const S3ErrorBody& body) {
  Meaning meaning = MeaningOfLock(body, purpose, place);
  if (meaning.reason.empty()) meaning = MeaningOfKey(body, purpose);
  if (meaning.reason.empty()) meaning = MeaningOfCode(body.code, purpose, place);
  if (meaning.reason.empty()) meaning = MeaningOfStatus(response.status, purpose, place);
  if (meaning.kind == ErrorKind::kDenied && body.code == "AccessDenied" && purpose.has_key &&
      purpose.action != "write")
    meaning.hint +=
        " Some stores answer so, too, when pgbackup.s3_sse_c_key_file holds another key "
        "than it was written with.";
  std::string detail = "The store answered HTTP status " + std::to_string(response.status);
  if (!body.code.empty()) detail += ", code " + Printable(body.code);
  if (!body.message.empty()) detail += ", \"" + Printable(body.message) + "\"";
  const std::string request_id =
      !body.request_id.empty() ? body.request_id : std::string(response.Header("x-amz-request-id"));
  if (!request_id.empty()) detail += ", request id " + Printable(request_id);
  return Error(meaning.kind,
               "could not " + purpose.action + " " + purpose.url + ": " + meaning.reason,
               detail + ".", meaning.hint);
}

void ThrowUnclear(const S3Purpose& purpose, const std::string& what) {
  throw Error(ErrorKind::kUnavailable,
              "could not " + purpose.action + " " + purpose.url + ": " + what,
              "The store answered with success, but not with what the S3 API promises.",
              "Check that pgbackup.s3_endpoint is an S3 endpoint.");
}

Error UnreachableError(const S3Purpose& purpose, const S3Place& place,
                       const TransportError& error) {
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string reason, hint;
  switch (error.failure()) {
    case TransportFailure::kResolve:
      reason = "the host name of " + place.origin + " is unknown";
      hint = "Check pgbackup.s3_endpoint and pgbackup.s3_region, and this machine's name servers.";
      break;
    case TransportFailure::kConnect:
      reason = "could not connect to " + place.origin;
      hint = "Check pgbackup.s3_endpoint, that the store runs, and that no firewall is between.";
      break;
    case TransportFailure::kProxy:
      reason = "could not reach " + place.origin + " through the proxy";
      hint = "Check pgbackup.s3_proxy (" + place.proxy +
             "), that the proxy runs, and that it lets this machine connect to the store without a "
             "password.";
      break;
    case TransportFailure::kTls:
      reason = "no secure connection to " + place.origin;
      hint = place.ca_file.empty()
                 ? "For a private certificate authority set pgbackup.s3_ca_file; else check the "
                   "store's certificate and this machine's clock."
                 : "Check that pgbackup.s3_ca_file (" + place.ca_file +
                       ") is readable and holds the authority that signed the store's certificate.";
      break;
    case TransportFailure::kStalled:
      reason = place.origin + " stopped answering";
      hint = "Look at the network and at the store's health.";
      break;
    case TransportFailure::kBroken:
      reason = "the connection to " + place.origin + " broke";
      hint = "Look at the network and at the store's health.";
      break;
    case TransportFailure::kCancelled:
      return Error(ErrorKind::kCancelled,
                   "could not " + purpose.action + " " + purpose.url + ": the run was cancelled");
    case TransportFailure::kImpossible:
      kind = ErrorKind::kInvalid;
      reason = "no request can be sent to " + place.origin;
      hint = "Check pgbackup.s3_endpoint.";
      break;
  }
  return Error(kind, "could not " + purpose.action + " " + purpose.url + ": " + reason,
               "The network library says: " + Printable(error.text()) + ".", hint);
}

}  // namespace pgbackup
