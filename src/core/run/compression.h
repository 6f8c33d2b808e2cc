// The value of pgbackup.compression: "zstd:LEVEL".
//
// Used by the server module's check hook too: no exceptions, no allocation.
#pragma once

#include <string_view>

namespace pgbackup {

struct Compression {
  int level = 3;  // zstd level, 1-19
};

// Parses "zstd" or "zstd:1" … "zstd:19". On failure returns false and leaves *compression alone.
bool ParseCompression(std::string_view text, Compression* compression) noexcept;

}  // namespace pgbackup
