// Storage URLs as tests read them.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "shared/storage_url.h"

namespace pgbackup {

// The parts of `text`, which must be a storage URL and outlive them.
inline StorageUrl Parsed(std::string_view text) {
  StorageUrl url;
  const char* error = nullptr;
  EXPECT_TRUE(ParseStorageUrl(text, &url, &error)) << text << ": " << error;
  return url;
}

}  // namespace pgbackup
