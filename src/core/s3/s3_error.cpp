#include "core/s3/s3_error.h"

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
  std::string line;
  for (const char c : text) {
    if (line.size() >= kLongest) return line + "…";
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return line;
}

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
      return {ErrorKind::kInvalid, "the store does not implement what was asked",
              "Check that pgbackup.s3_endpoint is an S3 endpoint."};
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
  if (meaning.reason.empty()) meaning = MeaningOfCode(body.code, purpose, place);
  if (meaning.reason.empty()) meaning = MeaningOfStatus(response.status, purpose, place);
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
