#include "core/s3/bucket.h"

#include <algorithm>

#include "core/http/http_headers.h"

namespace pgbackup {
namespace {

bool AskForLock(const HttpHeaders& headers) {
  return std::any_of(headers.begin(), headers.end(),
                     [](const auto& header) { return header.first == "x-amz-object-lock-mode"; });
}

// The size of the object that an answer with its head, or one byte of it, speaks of.
std::optional<uint64_t> SizeIn(const HttpResponse& response) {
  if (response.status != 206 && response.status != 416)
    return ParseByteCount(response.Header("content-length"));
  const auto range = ParseContentRange(response.Header("content-range"));
  if (range) return range->size;
  // A first byte that cannot be given is that of an empty object.
  return response.status == 416 ? std::optional<uint64_t>(0) : std::nullopt;
}

// Makes a write fail when the object exists (RFC 9110, section 13.1.2).
void MakeConditional(S3Call* call) {
  call->headers.emplace_back("if-none-match", "*");
  // Stores without conditional writes say so in one of these ways, or ignore the header. When a 400
  // has another reason, the same write without the condition will meet it, too.
  call->accepted.insert(call->accepted.end(), {400, 412, 501});
}

WriteOutcome OutcomeOfWrite(int status) {
  if (status == 412) return WriteOutcome::kExists;
  return status == 400 || status == 501 ? WriteOutcome::kUnsupported : WriteOutcome::kWritten;
}

// A store that does not know customer's keys may store what it gets as it is. The others repeat the
// algorithm in their answer.
void CheckKeyWasTaken(const S3Purpose& purpose, const HttpResponse& response, bool* maybe_done) {
  if (!purpose.has_key ||
      !response.Header("x-amz-server-side-encryption-customer-algorithm").empty())
    return;
  *maybe_done = true;  // it may be there, unencrypted
  throw Error(ErrorKind::kInvalid,
              "could not " + purpose.action + " " + purpose.url +
                  ": the store does not encrypt with a key of yours",
              "It took the object without a word about the key in pgbackup.s3_sse_c_key_file, as "
              "stores do that do not know such keys.",
              "Reset pgbackup.s3_sse_c_key_file for this store.");
}

// What it takes to make an object with these headers.
std::string WritePermission(const HttpHeaders& headers) {
  const bool tags = std::any_of(headers.begin(), headers.end(),
                                [](const auto& header) { return header.first == "x-amz-tagging"; });
  return std::string("s3:PutObject") + (tags ? " and s3:PutObjectTagging" : "") +
         (AskForLock(headers) ? " and s3:PutObjectRetention" : "");
}

}  // namespace

std::string Bucket::Url(const std::string& key) const {
  return "s3://" + name_ + (key.empty() ? "" : "/" + key);
}

// What a policy has to name.
std::string Bucket::Resource(const std::string& key) const {
  return "arn:aws:s3:::" + name_ + (key.empty() ? "" : "/" + base_ + "*");
}

S3Call Bucket::MakeCall(const char* method, const std::string& key, const char* action,
                        const char* permission) const {
  S3Call call;
  call.method = method;
  call.key = key;
  call.purpose = {action, Url(key), permission, Resource(key)};
  return call;
}

S3Call Bucket::ContentCall(const char* method, const std::string& key, const char* action,
                           const char* permission) const {
  S3Call call = MakeCall(method, key, action, permission);
  call.headers = for_content_;
  call.purpose.has_key = !for_content_.empty();
  return call;
}

WriteOutcome Bucket::PutObject(const std::string& key, const HttpHeaders& headers,
                               std::span<const std::byte> body, const BodyGuard& guard,
                               bool if_absent, bool* maybe_done, const CallControl& control) const {
  S3Call call = ContentCall("PUT", key, "write", "s3:PutObject");
  call.headers.insert(call.headers.end(), headers.begin(), headers.end());
  call.purpose.locks = AskForLock(headers);
  call.purpose.permission = WritePermission(headers);
  call.headers.insert(call.headers.end(), guard.headers.begin(), guard.headers.end());
  call.body = body;
  call.payload_hash = guard.payload_hash;
  call.maybe_done = maybe_done;
  if (if_absent) MakeConditional(&call);
  const HttpResponse response = client_.Call(call, control).response;
  const WriteOutcome outcome = OutcomeOfWrite(response.status);
  if (outcome == WriteOutcome::kWritten) CheckKeyWasTaken(call.purpose, response, maybe_done);
  return outcome;
}

std::string Bucket::CreateUpload(const std::string& key, const HttpHeaders& headers,
                                 bool* maybe_done, const CallControl& control) const {
  S3Call call = ContentCall("POST", key, "write", "s3:PutObject");
  call.query = {{"uploads", ""}};
  call.headers.insert(call.headers.end(), headers.begin(), headers.end());
  call.purpose.locks = AskForLock(headers);
  call.purpose.permission = WritePermission(headers);
  call.maybe_done = maybe_done;
  const HttpResponse response = client_.Call(call, control).response;
  CheckKeyWasTaken(call.purpose, response, maybe_done);
  std::string id = ParseUploadId(response.body);
  if (id.empty()) ThrowUnclear(call.purpose, "the store gave no upload id");
  return id;
}

std::string Bucket::UploadPart(const std::string& key, const std::string& upload_id, int number,
                               std::span<const std::byte> body, const BodyGuard& guard,
                               const CallControl& control) const {
  S3Call call = ContentCall("PUT", key, "write", "s3:PutObject");
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id}};
  call.headers.insert(call.headers.end(), guard.headers.begin(), guard.headers.end());
  call.body = body;
  call.payload_hash = guard.payload_hash;
  const S3Answer answer = client_.Call(call, control);
  std::string etag(answer.response.Header("etag"));
  if (etag.empty()) ThrowUnclear(call.purpose, "the store gave no ETag for a part");
  return etag;
}

std::optional<WriteOutcome> Bucket::CompleteUpload(const std::string& key,
                                                   const std::string& upload_id,
                                                   const std::map<int, UploadedPart>& parts,
                                                   const char* checksum_element, bool if_absent,
                                                   bool* maybe_done,
                                                   const CallControl& control) const {
  S3Call call = ContentCall("POST", key, "write", "s3:PutObject");
  call.query = {{"uploadId", upload_id}};
  call.headers.emplace_back("content-type", "application/xml");
  const std::string body = CompleteBody(parts, checksum_element);
  call.body = AsBytes(body);
  call.maybe_done = maybe_done;
  call.accepted = {404};
  if (if_absent) MakeConditional(&call);
  const S3Answer answer = client_.Call(call, control);
  if (answer.response.status == 404) return std::nullopt;
  const WriteOutcome outcome = OutcomeOfWrite(answer.response.status);
  if (outcome != WriteOutcome::kWritten || IsCompleteResult(answer.response.body)) return outcome;
  *maybe_done = true;
  return std::nullopt;
}

void Bucket::AbortUpload(const std::string& key, const std::string& upload_id,
                         const CallControl& control) const {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    S3Call abort = MakeCall("DELETE", key, "abort the upload of", "s3:AbortMultipartUpload");
    abort.query = {{"uploadId", upload_id}};
    abort.accepted = {404};
    client_.Call(abort, control);
    S3Call look = ContentCall("GET", key, "look at the upload of", "s3:ListMultipartUploadParts");
    look.query = {{"max-parts", "1"}, {"uploadId", upload_id}};
    look.accepted = {400, 403, 404, 501};  // who may not look has to trust the abort
    if (client_.Call(look, control).response.status >= 300) return;
  }
}

std::optional<ObjectHead> Bucket::HeadObject(const std::string& key,
                                             const CallControl& control) const {
  S3Call call = ContentCall("HEAD", key, "look at", "s3:GetObject and s3:ListBucket");
  call.accepted = {400, 403, 404};
  S3Answer answer = client_.Call(call, control);
  const int status = answer.response.status;
  if (status == 400 || status == 403 || (status < 300 && !SizeIn(answer.response))) {
    // The answer to HEAD has no body to say what is wrong, and behind a proxy that compresses no
    // length: ask for one byte instead.
    call.method = "GET";
    call.headers.emplace_back("range", "bytes=0-0");
    call.accepted = {404, 416};
    call.on_body = [](const HttpResponse&, std::span<const std::byte>) {};
    answer = client_.Call(call, control);
  }
  const HttpResponse& response = answer.response;
  if (response.status == 404) return std::nullopt;
  ObjectHead head;
  const auto size = SizeIn(response);
  if (!size) ThrowUnclear(call.purpose, "the store does not say how long it is");
  head.size = *size;
  head.modified = ParseHttpDate(response.Header("last-modified"));
  head.write_id = response.Header(kWriteIdHeader);
  head.lock_mode = response.Header("x-amz-object-lock-mode");
  head.locked_until = response.Header("x-amz-object-lock-retain-until-date");
  if (response.Header("x-amz-object-lock-legal-hold") == "ON") {
    head.lock_mode = "LEGAL_HOLD";
    head.locked_until.clear();
  }
  return head;
}

void Bucket::CheckIsUnlocked(const std::string& key, const ObjectHead& head) const {
  if (head.lock_mode.empty()) return;
  constexpr size_t kToTheSecond = 19;  // both dates are in UTC, so they compare as text
  const std::string until = head.locked_until.substr(0, kToTheSecond);
  const std::string now = IsoDate(client_.environment().Now()).substr(0, kToTheSecond);
  if (!until.empty() && until <= now) return;
  const std::string reason =
      until.empty() ? "it is under a legal hold"
                    : "its object lock (" + head.lock_mode + ") lasts until " + until + "Z";
  throw Error(ErrorKind::kDenied, "could not delete " + Url(key) + ": " + reason, {},
              until.empty()
                  ? "Have the legal hold released first."
                  : "Wait until then. Only a lock in mode GOVERNANCE can be taken off before, by "
                    "somebody with the permission s3:BypassGovernanceRetention.");
}

HttpResponse Bucket::Configuration(const char* name, const char* action, const char* permission,
                                   const CallControl& control) const {
  S3Call call = MakeCall("GET", "", action, permission);
  call.query = {{name, ""}};
  call.accepted = {400, 403, 404, 405, 501};
  return client_.Call(call, control).response;
}

std::optional<BucketLock> Bucket::AskObjectLock(const CallControl& control) const {
  const HttpResponse response = Configuration("object-lock", "ask about object lock",
                                              "s3:GetBucketObjectLockConfiguration", control);
  if (response.status == 404) return BucketLock{};
  if (response.status >= 300) return std::nullopt;
  const LockConfiguration configuration = ParseLockConfiguration(response.body);
  if (!configuration.valid) return std::nullopt;
  return BucketLock{configuration.enabled, configuration.default_mode};
}

DeletedObjects Bucket::AskDeletedObjects(const CallControl& control) const {
  // The body of a refusal is neither of the documents.
  const HttpResponse versioning =
      Configuration("versioning", "ask about versions in", "s3:GetBucketVersioning", control);
  if (!KeepsVersions(versioning.body)) return DeletedObjects::kGone;
  const HttpResponse lifecycle = Configuration("lifecycle", "ask about lifecycle rules of",
                                               "s3:GetLifecycleConfiguration", control);
  return ExpiresVersions(lifecycle.body) ? DeletedObjects::kKeptForAWhile : DeletedObjects::kKept;
}

bool Bucket::Reach(const CallControl& control) const {
  S3Call call = MakeCall("GET", "", "reach", "s3:ListBucket");
  call.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", base_}};
  call.accepted = {403};
  const S3Answer answer = client_.Call(call, control);
  if (answer.response.status == 403) {
    if (answer.error.code == "AccessDenied") return false;
    call.accepted.clear();  // for its error
    client_.Call(call, control);
  }
  if (!ParseObjectPage(answer.response.body).valid)
    ThrowUnclear(call.purpose, "the store gave no listing");
  return true;
}

void Bucket::DeleteObject(const std::string& key, const CallControl& control) const {
  S3Call call = MakeCall("DELETE", key, "delete", "s3:DeleteObject");
  call.accepted = {404};
  client_.Call(call, control);
}

uint64_t Bucket::AbortUploads(const std::string& prefix,
                              const std::function<bool(const UploadPage::Upload&)>& doomed,
                              const CallControl& control) const {
  uint64_t aborted = 0;
  ListUploads(
      prefix,
      [&](const UploadPage::Upload& upload) {
        if (!doomed(upload)) return;
        AbortUpload(upload.key, upload.upload_id, control);
        ++aborted;
      },
      control);
  return aborted;
}

}  // namespace pgbackup
