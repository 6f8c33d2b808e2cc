// From a storage URL and its settings to a Storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/storage/storage.h"

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
};

struct StorageSettings {
  std::string url;  // file:///absolute/path or s3://bucket[/prefix]
  S3Settings s3;
};

// Parses the URL and makes the backend; touches neither disk nor network. `environment` and
// `cancellation` outlive the storage. kInvalid with a hint for a bad URL or setting.
std::unique_ptr<Storage> OpenStorage(const StorageSettings& settings, Environment& environment,
                                     const Cancellation& cancellation);

}  // namespace pgbackup
