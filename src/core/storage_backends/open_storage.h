// From a storage URL and its settings to a Storage.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/storage/storage.h"
#include "core/storage/throttle.h"
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

struct StorageSettings {
  std::string url;               // as storage_url.h says; its parameters override those of s3
  uint64_t bandwidth_limit = 0;  // bytes per second that may be stored, 0: no limit
  // How long trouble that may pass is waited for; 0: as long as a backup can afford.
  std::chrono::milliseconds patience{0};
  S3Settings s3;
};

// The settings with what the URL's own parameters say instead.
S3Settings WithParameters(S3Settings settings, const StorageUrl& url);

// Parses the URL and makes the backend; touches neither disk nor network. `environment`,
// `cancellation` and `throttle`, which limits what is written when given, outlive the storage.
// kInvalid with a hint for a bad URL or setting.
std::unique_ptr<Storage> OpenStorage(const StorageSettings& settings, Environment& environment,
                                     const Cancellation& cancellation,
                                     Throttle* throttle = nullptr);

}  // namespace pgbackup
