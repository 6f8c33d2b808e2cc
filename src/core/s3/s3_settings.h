// What is set of an S3 storage, in the server's settings or the command line's options and the URL.
#pragma once

#include <cstdint>
#include <string>

#include "shared/s3_options.h"
#include "shared/storage_url.h"

namespace pgbackup {

struct S3Settings : S3Values<std::string, uint64_t> {
  using Values = S3Values<std::string, uint64_t>;
  // Nothing is set; numbers are those of the rows.
  S3Settings();
};

// The settings with what the URL's own parameters say instead.
S3Settings WithParameters(S3Settings settings, const StorageUrl& url);

}  // namespace pgbackup
