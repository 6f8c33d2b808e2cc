// From a storage URL and its settings to a Storage.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/s3/s3_settings.h"
#include "core/storage/storage.h"
#include "core/storage/throttle.h"

namespace pgbackup {

struct StorageSettings {
  std::string url;               // as storage_url.h says; its parameters override those of s3
  uint64_t bandwidth_limit = 0;  // bytes per second that may be stored, 0: no limit
  // How long trouble that may pass is waited for; 0: as long as a backup can afford.
  std::chrono::milliseconds patience{0};
  S3Settings s3;
};

// Parses the URL and makes the backend; touches neither disk nor network. `environment`,
// `cancellation` and `throttle`, which limits what is written when given, outlive the storage.
// kInvalid with a hint for a bad URL or setting.
std::unique_ptr<Storage> OpenStorage(const StorageSettings& settings, Environment& environment,
                                     const Cancellation& cancellation,
                                     Throttle* throttle = nullptr);

}  // namespace pgbackup
