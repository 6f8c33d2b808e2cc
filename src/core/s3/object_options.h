// How objects are to be stored, as request headers: storage class, encryption by the store, object
// lock, tags and checksums.
#pragma once

#include <span>
#include <string>

#include "core/base/environment.h"
#include "core/http/http.h"
#include "core/s3/s3_settings.h"

namespace pgbackup {

// What proves to the store that a body arrived as it was sent.
struct BodyGuard {
  HttpHeaders headers;
  std::string payload_hash;  // hexadecimal SHA-256 when it is known already, else empty
  std::string checksum;      // base64, empty when checksums are off
};

class ObjectOptions {
 public:
  // Throws kInvalid, naming the setting, for values that are wrong. Reads the key of
  // CustomerKeyHeaders.
  explicit ObjectOptions(const S3Settings& settings);

  // Throws kInvalid, naming a setting, when settings do not go together. To be called before
  // anything is written; a restore does not depend on it.
  void CheckForWriting() const;

  // Headers that make an object, of PutObject and CreateMultipartUpload. A lock counts from `now`;
  // with `lock` false there is none.
  HttpHeaders ForObject(WallTime now, bool lock = true) const;
  // Those of CreateMultipartUpload besides.
  HttpHeaders ForUpload() const;
  // Headers of a request that carries (a part of) an object. Locked objects need some proof: where
  // no checksum is asked for that is Content-MD5.
  BodyGuard Guard(std::span<const std::byte> body) const;
  // Headers of every request that moves or describes the content of an object. They hold a secret.
  const HttpHeaders& ForContent() const { return for_content_; }
  // Headers of every request.
  const HttpHeaders& ForAll() const { return for_all_; }

  // The element that repeats a part's checksum in CompleteMultipartUpload; nullptr: there is none.
  const char* checksum_element() const;
  bool locks() const { return !lock_mode_.empty(); }
  // "a lock of 30 days (governance)"; empty when there is none.
  std::string LockInWords() const;

 private:
  struct Checksum;
  static const Checksum* FindChecksum(const std::string& name);

  HttpHeaders for_object_, for_content_, for_all_;
  std::string sse_, kms_key_id_, lock_mode_;
  uint64_t lock_days_;
  const Checksum* checksum_;
};

// "2025-03-30T01:02:03Z"
std::string IsoDate(WallTime time);

}  // namespace pgbackup
