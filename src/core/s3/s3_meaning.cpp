#include "core/s3/s3_meaning.h"

#include <algorithm>

#include "core/http/web_page.h"

namespace pgbackup {
namespace {

Meaning MeaningOfStatus(int status, const S3Purpose& purpose, const S3Place& place);

Meaning Unknown() {
  return {ErrorKind::kInternal, {}, {}};
}

Meaning MeaningOfCode(const std::string& code, const S3Purpose& purpose, const S3Place& place) {
  const std::string& bucket = place.bucket;
  if (code == "AccessDenied" || code == "AllAccessDisabled" || code == "AccountProblem")
    return {ErrorKind::kDenied, "access denied",
            "Allow " + purpose.permission + " on " + purpose.resource +
                " to these credentials, and look for a bucket policy that denies it."};
  if (code == "InvalidAccessKeyId" || code == "InvalidClientTokenId")
    return {ErrorKind::kDenied, "the store does not know the access key id",
            "Check the access key id in pgbackup.s3_credentials_file (profile "
            "pgbackup.s3_profile), and that it belongs to this store."};
  if (code == "SignatureDoesNotMatch")
    return {ErrorKind::kDenied, "the secret key (or the access key id) is wrong",
            "Check the keys in pgbackup.s3_credentials_file (profile "
            "pgbackup.s3_profile); if they are right, check pgbackup.s3_region and whether a proxy "
            "changes requests."};
  if (code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidToken" ||
      code == "InvalidTokenId" || code == "TokenRefreshRequired")
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
  if (code == "XAmzContentSHA256Mismatch")
    return {ErrorKind::kInvalid, "the request was changed on its way to the store",
            "Look for a proxy or firewall that changes requests (pgbackup.s3_proxy), and use "
            "https:// in pgbackup.s3_endpoint where the store offers it."};
  if (code == "InvalidObjectState")
    return {ErrorKind::kDenied, "the object is archived",
            "Have the store bring it back from its archive class first."};
  return Unknown();
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
  const bool is_refusal = body.code == "InvalidRequest" || body.code == "InvalidArgument";
  const bool about_checksum =
      Mentions(body.message, "content-md5") || Mentions(body.message, "x-amz-checksum-");
  if (is_refusal && about_checksum && Mentions(body.message, "required"))
    return {ErrorKind::kInvalid, "the bucket accepts only objects with a checksum",
            "Set pgbackup.s3_checksum = 'sha256': the bucket locks every object by itself."};
  // Some stores give no words at all.
  const bool about_lock = object_lock || (purpose.locks && body.message.empty());
  if (is_refusal && about_lock)
    return {ErrorKind::kInvalid, "the store refused the object lock",
            "Enable object lock on bucket \"" + place.bucket +
                "\" (most stores can only when it is made), or reset "
                "pgbackup.s3_object_lock_mode and pgbackup.s3_object_lock_days."};
  return Unknown();
}

// What a refusal has to do with the class in which an object is to be stored.
Meaning MeaningOfClass(const S3ErrorBody& body, const S3Purpose& purpose) {
  if (purpose.action != "write" || body.code == "InvalidObjectState") return Unknown();
  if (body.code != "InvalidStorageClass" && !Mentions(body.message, "storage class") &&
      !Mentions(body.message, "storageclass"))
    return Unknown();
  return {ErrorKind::kInvalid, "the store does not accept the storage class",
          "Set pgbackup.s3_storage_class to a class of this store, or reset it."};
}

// The same, with its encryption by a key that the store manages.
Meaning MeaningOfKms(const S3ErrorBody& body, int status) {
  // Not any "kms": a message may name a bucket.
  const bool about_kms = body.code.find("KMS") != std::string::npos ||
                         Mentions(body.message, "kms:") || Mentions(body.message, " kms ");
  if (!about_kms) return Unknown();
  return {status == 403 ? ErrorKind::kDenied : ErrorKind::kInvalid,
          "the store could not use the encryption key",
          "Check that the key in pgbackup.s3_kms_key_id exists in the bucket's region, is enabled, "
          "and may be used with these credentials (kms:GenerateDataKey and kms:Decrypt); or reset "
          "pgbackup.s3_sse and pgbackup.s3_kms_key_id for what is written from now on."};
}

// What a refusal has to do with the encryption of an object by a customer's key.
Meaning MeaningOfKey(const S3ErrorBody& body, const S3Purpose& purpose) {
  if (body.code != "InvalidRequest" && body.code != "InvalidArgument" &&
      body.code != "AccessDenied")
    return Unknown();
  const bool is_write = purpose.action == "write";
  if (purpose.has_key && !is_write && Mentions(body.message, "not applicable"))
    return {ErrorKind::kInvalid, "it is not encrypted with a key of yours",
            "Reset pgbackup.s3_sse_c_key_file to read what was stored before it was set."};
  const bool about_key = Mentions(body.message, "server side encryption") ||
                         Mentions(body.message, "encryption parameters") ||
                         Mentions(body.message, "md5 hash of the key");
  if (!about_key) return Unknown();
  if (is_write && purpose.has_key)
    return {ErrorKind::kInvalid, "the store refused the encryption key",
            "Check that the store offers encryption with customer keys (SSE-C), and over this "
            "endpoint; else reset pgbackup.s3_sse_c_key_file."};
  if (is_write) return Unknown();
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

// "https://host:port" of a URL, or what there is of it.
std::string OriginOf(const std::string& url) {
  const size_t host = url.find("://");
  return host == std::string::npos ? std::string() : url.substr(0, url.find('/', host + 3));
}

// The same without the bucket in its host, as pgbackup.s3_endpoint names it.
std::string EndpointOf(std::string origin, const std::string& bucket) {
  const size_t host = origin.find("://") + 3;
  if (origin.compare(host, bucket.size() + 1, bucket + ".") == 0)
    origin.erase(host, bucket.size() + 1);
  return origin;
}

// An answer that sends the client elsewhere, and says where.
Meaning MeaningOfRedirect(const HttpResponse& response, const S3ErrorBody& body,
                          const S3Place& place) {
  if (response.status < 300 || response.status >= 400) return Unknown();
  const std::string scheme = place.origin.substr(0, place.origin.find("://") + 3);
  const std::string target = !body.endpoint.empty()
                                 ? scheme + body.endpoint
                                 : OriginOf(std::string(response.Header("location")));
  constexpr size_t kLongestTarget = 300;
  const bool is_plain =
      std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (target.empty() || target.size() > kLongestTarget || !is_plain) return Unknown();
  const std::string endpoint = EndpointOf(target, place.bucket);
  if (!body.code.empty())
    return {ErrorKind::kInvalid,
            "bucket \"" + place.bucket + "\" must be accessed through " + endpoint,
            "Set pgbackup.s3_endpoint to " + endpoint +
                ", and pgbackup.s3_region to the bucket's region."};
  if (target == place.origin) return Unknown();
  return {ErrorKind::kInvalid, place.origin + " redirects to " + target,
          "Redirects are not followed. If the S3 API is there, set pgbackup.s3_endpoint to " +
              endpoint + "."};
}

// The answer of something that is not an S3 API.
Meaning MeaningOfStranger(const HttpResponse& response, const S3ErrorBody& body,
                          const S3Place& place) {
  if (!body.code.empty() || response.status >= 500) return Unknown();
  const std::string_view text = response.body;
  const bool wants_tls =
      response.status == 400 && (Mentions(std::string(text), "to an https server") ||
                                 Mentions(std::string(text), "sent to https port") ||
                                 Mentions(std::string(text), "plain http to an ssl"));
  if (wants_tls)
    return {ErrorKind::kInvalid, place.origin + " requires TLS",
            "Use https:// in pgbackup.s3_endpoint."};
  if (!IsWebPage(response, response.status < 300)) return Unknown();
  if (response.status == 401 || response.status == 403)
    return {ErrorKind::kDenied, place.origin + " rejected the request with a web page",
            "This is not the answer of an S3 API. Let the requests of this machine pass the "
            "firewall or proxy before the store (their User-Agent is pgbackup/" PGBACKUP_VERSION
            "), or correct pgbackup.s3_endpoint."};
  return {
      ErrorKind::kInvalid, place.origin + " answered with a web page",
      "This is not the answer of an S3 API. Correct pgbackup.s3_endpoint: a store's console has "
      "another port than its S3 API. Also look for a login page or a proxy on the way."};
}

}  // namespace

Meaning MeaningOf(const S3Purpose& purpose, const S3Place& place, const HttpResponse& response,
                  const S3ErrorBody& body) {
  Meaning meaning = MeaningOfRedirect(response, body, place);
  if (meaning.reason.empty()) meaning = MeaningOfStranger(response, body, place);
  if (meaning.reason.empty()) meaning = MeaningOfLock(body, purpose, place);
  if (meaning.reason.empty()) meaning = MeaningOfClass(body, purpose);
  if (meaning.reason.empty()) meaning = MeaningOfKms(body, response.status);
  if (meaning.reason.empty()) meaning = MeaningOfKey(body, purpose);
  if (meaning.reason.empty()) meaning = MeaningOfCode(body.code, purpose, place);
  if (meaning.reason.empty()) meaning = MeaningOfStatus(response.status, purpose, place);
  if (meaning.kind == ErrorKind::kDenied && body.code == "AccessDenied" && purpose.has_key &&
      purpose.action != "write")
    meaning.hint +=
        " Some stores answer so, too, when pgbackup.s3_sse_c_key_file holds another key "
        "than it was written with.";
  return meaning;
}

}  // namespace pgbackup
