// The XML bodies of the S3 API that we read and write.
//
// Reading is lenient: an unknown element is skipped, a missing one is empty. Keys come back decoded
// when they were asked for encoded and the store says that they are; some stores always say so. A
// page is `garbled` when it holds a key that XML could not express, so that the store has put
// U+FFFD in the place of some of its characters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

// <Error>. All empty when the body is no error document.
struct S3ErrorBody {
  std::string code;
  std::string message;
  std::string request_id;
  std::string region;
  std::string server_time;
  std::string endpoint;  // the host through which the bucket must be accessed
};
S3ErrorBody ParseErrorBody(std::string_view xml);

// How a listing was asked for.
enum class Keys { kAsTheyAre, kEncoded };

// The answer to ListObjects, version 1 or 2. `valid` is false when the body is not such a document.
struct ObjectPage {
  struct Object {
    std::string key;
    uint64_t size = 0;
    std::string modified;  // "2011-07-11T19:55:29.611Z"
  };
  bool valid = false;
  bool garbled = false;
  std::vector<Object> objects;
  std::vector<std::string> folders;  // of a listing with a delimiter, which they end with
  bool truncated = false;            // more objects follow
  std::string next_token;            // version 2: where they begin; empty on the last page
  std::string next_marker;           // version 1: the same, where the store names it
  bool is_version1 = false;          // certainly; a store may not show it
};
ObjectPage ParseObjectPage(std::string_view xml, Keys asked = Keys::kAsTheyAre);

// The answer to ListMultipartUploads.
struct UploadPage {
  struct Upload {
    std::string key;
    std::string upload_id;
    std::string initiated;  // as `modified` above
  };
  bool valid = false;
  bool garbled = false;
  std::vector<Upload> uploads;
  bool truncated = false;
};
UploadPage ParseUploadPage(std::string_view xml, Keys asked = Keys::kAsTheyAre);

// The answer to GetObjectLockConfiguration.
struct LockConfiguration {
  bool valid = false;
  bool enabled = false;
  std::string default_mode;  // of new objects; empty when they are not locked by themselves
};
LockConfiguration ParseLockConfiguration(std::string_view xml);

// The answer to GetBucketVersioning: whether the bucket keeps what is deleted or overwritten.
bool KeepsVersions(std::string_view xml);

// The answer to GetBucketLifecycleConfiguration: whether some rule removes what a bucket with
// versions keeps.
bool ExpiresVersions(std::string_view xml);

// The upload id in the answer to CreateMultipartUpload, empty when there is none.
std::string ParseUploadId(std::string_view xml);

// Whether the answer to CompleteMultipartUpload says that the object is there. A store may answer
// "200 OK" long before it knows, and put an <Error> into the body.
bool IsCompleteResult(std::string_view xml);

// What a store has given and been given for a part.
struct UploadedPart {
  std::string etag;
  std::string checksum;  // base64, empty when there is none
};

// The body of CompleteMultipartUpload; `parts` by number, `checksum_element` the name of the
// element for their checksums.
std::string CompleteBody(const std::map<int, UploadedPart>& parts, const char* checksum_element);

}  // namespace pgbackup
