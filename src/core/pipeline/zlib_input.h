// zlib's stream structure and spans: its counters have 32 bits.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace pgbackup {

// A window of 32 KiB, the largest, and gzip's header and trailer, no others.
constexpr int kGzipWindowBits = 15 + 16;

// Makes the beginning of `data` the stream's input; returns what is left for later.
inline std::span<const std::byte> GiveInput(z_stream* stream, std::span<const std::byte> data) {
  const size_t size = std::min<size_t>(data.size(), std::numeric_limits<uInt>::max());
  // zlib reads its input only; the member is not const unless ZLIB_CONST is defined.
  stream->next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
  stream->avail_in = static_cast<uInt>(size);
  return data.subspan(size);
}

// Makes the whole of `buffer` the stream's room for output.
inline void ResetOutput(z_stream* stream, std::vector<std::byte>& buffer) {
  stream->next_out = reinterpret_cast<Bytef*>(buffer.data());
  stream->avail_out = static_cast<uInt>(buffer.size());
}

}  // namespace pgbackup
