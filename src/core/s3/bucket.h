// The S3 operations we use, on one bucket. Keys are complete object keys.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/s3/object_options.h"
#include "core/s3/s3_client.h"
#include "core/s3/s3_xml.h"

namespace pgbackup {

// The metadata header in which every object carries the random id of the writer that made it: the
// way to know, when an answer was lost, whether an object is ours.
inline constexpr const char* kWriteIdHeader = "x-amz-meta-pgbackup-write";

struct ObjectHead {
  uint64_t size = 0;
  std::optional<WallTime> modified;
  std::string write_id;
  std::string lock_mode;     // GOVERNANCE, COMPLIANCE, LEGAL_HOLD; empty: the object is not locked
  std::string locked_until;  // "2025-03-30T01:02:03Z"; empty for a legal hold
};

// What a bucket does about object lock.
struct BucketLock {
  bool enabled = false;
  std::string default_mode;  // GOVERNANCE or COMPLIANCE: every new object is locked; empty: none
};

// What a bucket does with objects that are deleted.
enum class DeletedObjects {
  kGone,
  kKept,          // as versions, and no rule that is known removes these
  kKeptForAWhile  // until a lifecycle rule removes them
};

// How a conditional write ended.
enum class WriteOutcome {
  kWritten,
  kExists,       // refused, since the object exists
  kUnsupported,  // the store does not do conditional writes (501), or not this one (400)
};

class Bucket {
 public:
  // `base` is what all keys of the storage start with, for naming what permissions are missing.
  // `for_content`: headers of every request that moves or describes the content of an object.
  Bucket(S3Client& client, std::string name, std::string base = {}, HttpHeaders for_content = {})
      : client_(client),
        name_(std::move(name)),
        base_(std::move(base)),
        for_content_(std::move(for_content)) {}

  std::string Url(const std::string& key) const;
  S3Client& client() const { return client_; }
  // A call about `key` (empty: about the bucket), with what messages say about it: the action in
  // words and the permission it takes.
  S3Call MakeCall(const char* method, const std::string& key, const char* action,
                  const char* permission) const;

  // The beginning of a call that moves or describes the content of an object; "could not <action>".
  S3Call ContentCall(const char* method, const std::string& key, const char* action,
                     const char* permission) const;

  // `headers`: content type and metadata, see S3Call for the rest; `guard`, here and below, of the
  // body. With `if_absent` false the outcome is always kWritten.
  WriteOutcome PutObject(const std::string& key, const HttpHeaders& headers,
                         std::span<const std::byte> body, const BodyGuard& guard, bool if_absent,
                         bool* maybe_done, const CallControl& control) const;
  std::string CreateUpload(const std::string& key, const HttpHeaders& headers, bool* maybe_done,
                           const CallControl& control) const;
  // Returns the part's ETag.
  std::string UploadPart(const std::string& key, const std::string& upload_id, int number,
                         std::span<const std::byte> body, const BodyGuard& guard,
                         const CallControl& control) const;
  // nullopt when the store no longer knows the upload, or answered something unclear. For
  // `checksum_element` see CompleteBody.
  std::optional<WriteOutcome> CompleteUpload(const std::string& key, const std::string& upload_id,
                                             const std::map<int, UploadedPart>& parts,
                                             const char* checksum_element, bool if_absent,
                                             bool* maybe_done, const CallControl& control) const;
  // Aborts an upload, and makes sure that it is gone: a part that arrives late can revive it.
  void AbortUpload(const std::string& key, const std::string& upload_id,
                   const CallControl& control) const;

  std::optional<ObjectHead> HeadObject(const std::string& key, const CallControl& control) const;
  void DeleteObject(const std::string& key, const CallControl& control) const;
  // Throws kDenied when a lock keeps the object from being removed. Deleting would not fail: where
  // versions are kept it only hides the object.
  void CheckIsUnlocked(const std::string& key, const ObjectHead& head) const;

  // nullopt when these credentials may not ask, or the store knows no object lock.
  std::optional<BucketLock> AskObjectLock(const CallControl& control) const;
  // kGone also when these credentials may not ask.
  DeletedObjects AskDeletedObjects(const CallControl& control) const;
  // Whether these credentials may list the bucket. Throws when the store cannot be reached, does
  // not know the credentials or has no such bucket.
  bool Reach(const CallControl& control) const;

  // Calls `each` for every key that starts with `prefix`, in ascending order.
  void ListObjects(const std::string& prefix,
                   const std::function<void(const ObjectPage::Object&)>& each,
                   const CallControl& control) const;
  // The names of the folders right below `prefix`, which is empty or ends with a slash: those of
  // the first page.
  std::vector<std::string> ListFolders(const std::string& prefix, const CallControl& control) const;
  // Calls `each` for every unfinished upload of a key that starts with `prefix`.
  void ListUploads(const std::string& prefix,
                   const std::function<void(const UploadPage::Upload&)>& each,
                   const CallControl& control) const;
  // Aborts all unfinished uploads of keys for which `doomed` is true, among those that start with
  // `prefix`; returns how many.
  uint64_t AbortUploads(const std::string& prefix,
                        const std::function<bool(const UploadPage::Upload&)>& doomed,
                        const CallControl& control) const;

 private:
  // The answer, perhaps a refusal, to a question for one of the bucket's configurations.
  HttpResponse Configuration(const char* name, const char* action, const char* permission,
                             const CallControl& control) const;
  std::string Resource(const std::string& key) const;

  S3Client& client_;
  std::string name_;
  std::string base_;
  HttpHeaders for_content_;
};

}  // namespace pgbackup
