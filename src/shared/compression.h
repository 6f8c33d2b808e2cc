// The value of pgbackup.compression: "zstd:3", "zstd:9,long", "gzip:6", "lz4", "none".
//
// Used by the server module's check hook too: no exceptions, no allocation.
#pragma once

#include <string_view>

namespace pgbackup {

enum class Codec { kNone, kGzip, kLz4, kZstd };

struct Compression {
  Codec codec = Codec::kZstd;
  int level = 3;               // of the codec: zstd 1-19, gzip 1-9, lz4 1-12
  bool long_distance = false;  // zstd: find what repeats within 128 MiB
};

// What to write when ParseCompression refuses a value.
inline constexpr char kCompressionHint[] =
    "Use zstd:1 (fastest) to zstd:19 (smallest), perhaps with \",long\" behind, gzip:1 to gzip:9, "
    "lz4:1 to lz4:12, or none.";

// Parses a codec's name, for all but none optionally with ":" and a level, for zstd optionally with
// ",long" at the end. On failure returns false and leaves *compression alone.
bool ParseCompression(std::string_view text, Compression* compression) noexcept;

}  // namespace pgbackup
