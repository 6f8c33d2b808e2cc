// What is set of an S3 storage, in the server's settings, the command line's options and the URL.
#pragma once

#include <cstdint>
#include <string>

#include "shared/storage_url.h"

namespace pgbackup {

// The pgbackup.s3_* settings, as the job carries them. Empty means "not set".
struct S3Settings {
  std::string region;            // empty: AWS_REGION, else discovered, else us-east-1
  std::string endpoint;          // http(s)://host[:port]; empty: AWS for the region
  std::string path_style;        // "auto" (default: path style for a custom endpoint or a bucket
                                 // name with dots) | "on" | "off"
  std::string credentials_file;  // AWS shared credentials file, must not be readable by others
  std::string profile;           // section of it, default "default"
  std::string ca_file;           // PEM bundle for a private CA
  uint64_t part_size = 32ull << 20;  // bytes
  static constexpr uint64_t kMostConcurrency = 16;
  uint64_t concurrency = 4;       // parts or ranges on their way at once, at least 1
  std::string storage_class;      // such as STANDARD_IA
  std::string sse;                // encryption by the store: "AES256" | "aws:kms"
  std::string kms_key_id;         // with "aws:kms"; empty: the store's default key
  std::string object_lock_mode;   // "governance" | "compliance"
  uint64_t object_lock_days = 0;  // with a mode: at least 1
  std::string checksum;           // "sha256" | "crc32c" | "crc64nvme"
  std::string tags;               // "key=value,key=value"
  bool requester_pays = false;
  std::string sse_c_key_file;  // 32 bytes, raw or in base64; must not be readable by others
  std::string proxy;           // http://, https:// or socks5h://host[:port]; empty: no proxy
};

// The settings with what the URL's own parameters say instead.
S3Settings WithParameters(S3Settings settings, const StorageUrl& url);

}  // namespace pgbackup
