// The real S3 servers of a test run, and where each behaves unlike Amazon S3.
//
// scripts/test starts all of them; by hand see test/s3/README.md. Without a server its tests skip.
// A server's deviation is declared here and nowhere else, and the tests expect it: when a newer
// version does better a test fails, and the declaration goes.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "core/base/environment.h"
#include "core/storage_backends/open_storage.h"

namespace pgbackup {

// Where the run's environment has a server: the variables PGBACKUP_TEST_<slot>_….
enum class S3Slot { kMain, kSwift, kSts };

inline std::string S3SlotName(S3Slot slot) {
  constexpr const char* kNames[] = {"S3", "Swift", "Sts"};
  return kNames[static_cast<size_t>(slot)];
}

// For gtest, which would print bytes.
inline void PrintTo(S3Slot slot, std::ostream* out) {
  *out << S3SlotName(slot);
}

struct S3Deviations {
  std::string_view server;  // as PGBACKUP_TEST_<slot>_SERVER names it

  // Its answer to an access key it does not know is that to a wrong secret key.
  bool one_error_for_both_keys = false;
  // Its answer to any wrong key is that a permission is missing.
  bool calls_wrong_keys_denied = false;
  // It answers 501 to "x-amz-server-side-encryption".
  bool knows_no_encryption = false;
  // It knows no "AES256" as "x-amz-server-side-encryption".
  bool knows_no_store_key = false;
  // It takes customer's keys and encrypts nothing.
  bool ignores_customer_keys = false;
  // It answers 501 to "x-amz-tagging".
  bool knows_no_tags = false;
  // It takes object locks and locks nothing.
  bool ignores_object_lock = false;
  // An object of several parts gets neither the tags nor the lock that it was begun with.
  bool multipart_loses_options = false;
  // Its answer to an unknown encryption key is that to an unknown access key.
  bool one_error_for_all_keys = false;
  // It refuses to complete an upload whose parts are named with their checksums.
  bool refuses_checksums_of_parts = false;
  // Of the checksums it knows sha256 alone; its answer to others is 501.
  bool knows_sha256_alone = false;
  // It keeps no checksum of an object.
  bool forgets_checksums = false;
  // It stores a body that is not what its checksum header says.
  bool ignores_wrong_checksums = false;
};

inline constexpr S3Deviations kS3Deviations[] = {
    {.server = "ceph-16",
     .knows_no_store_key = true,
     .multipart_loses_options = true,
     .one_error_for_all_keys = true,
     .forgets_checksums = true,
     .ignores_wrong_checksums = true},
    {.server = "ceph-18",
     .multipart_loses_options = true,
     .forgets_checksums = true,
     .ignores_wrong_checksums = true},
    {.server = "ceph-20"},
    {.server = "swift-2.30",
     .one_error_for_both_keys = true,
     .knows_no_encryption = true,
     .ignores_customer_keys = true,
     .knows_no_tags = true,
     .ignores_object_lock = true,
     .refuses_checksums_of_parts = true,
     .forgets_checksums = true,
     .ignores_wrong_checksums = true},
    {.server = "swift-2.35",
     .one_error_for_both_keys = true,
     .knows_no_encryption = true,
     .ignores_customer_keys = true,
     .knows_no_tags = true,
     .ignores_object_lock = true,
     .knows_sha256_alone = true,
     .forgets_checksums = true},
    {.server = "swift-2.38",
     .one_error_for_both_keys = true,
     .knows_no_encryption = true,
     .ignores_customer_keys = true,
     .knows_no_tags = true,
     .ignores_object_lock = true,
     .forgets_checksums = true},
};

class S3Server {
 public:
  S3Server(S3Slot slot, const Environment& environment) : slot_(slot), environment_(environment) {}

  // The variable PGBACKUP_TEST_<slot>_<name>, empty when it is not set.
  std::string Variable(const std::string& name) const {
    constexpr const char* kSlots[] = {"S3", "SWIFT", "STS"};
    return environment_
        .Variable(std::string("PGBACKUP_TEST_") + kSlots[static_cast<size_t>(slot_)] + "_" + name)
        .value_or("");
  }
  bool is_there() const { return !Variable("ENDPOINT").empty(); }
  std::string WhyNotThere() const {
    return std::string("no such S3 server: start one with test/s3/") +
           (slot_ == S3Slot::kSwift ? "swift"
            : slot_ == S3Slot::kSts ? "ceph … sts"
                                    : "ceph") +
           " and read its env file";
  }

  // A server without an entry is expected to behave like Amazon S3.
  S3Deviations deviations() const {
    S3Deviations found;
    for (const S3Deviations& one : kS3Deviations)
      if (one.server == Variable("SERVER")) found = one;
    if (slot_ == S3Slot::kSts) found.calls_wrong_keys_denied = true;
    return found;
  }

  // The bucket without a folder, over plain HTTP.
  StorageSettings Settings() const {
    StorageSettings settings;
    settings.url = "s3://" + Variable("BUCKET");
    settings.s3.endpoint = Variable("ENDPOINT");
    settings.s3.region = Variable("REGION");
    settings.s3.credentials_file = Variable("CREDENTIALS_FILE");
    return settings;
  }
  // The same over TLS.
  StorageSettings TlsSettings() const {
    StorageSettings settings = Settings();
    settings.s3.endpoint = Variable("TLS_ENDPOINT");
    settings.s3.ca_file = Variable("CA_FILE");
    return settings;
  }

 private:
  S3Slot slot_;
  const Environment& environment_;
};

// `host` in place of 127.0.0.1; empty when the endpoint is elsewhere.
inline std::string WithHost(std::string endpoint, const std::string& host) {
  constexpr std::string_view kLocal = "127.0.0.1";
  const size_t at = endpoint.find(kLocal);
  return at == std::string::npos ? std::string() : endpoint.replace(at, kLocal.size(), host);
}

}  // namespace pgbackup
