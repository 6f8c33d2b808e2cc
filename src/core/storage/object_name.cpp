#include <string_view>

#include "core/storage/storage.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

// The length of the well-formed UTF-8 character (Unicode 15, table 3-7) that `text` starts with, 0
// when there is none.
size_t Utf8Length(std::string_view text) noexcept {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsValidObjectName(const std::string& name) noexcept {
  constexpr size_t kLongest = 1024;  // S3's limit, bytes
  if (name.empty() || name.size() > kLongest) return false;
  std::string_view rest = name;
  size_t part_start = 0, position = 0;
  const auto part_is_good = [&] {
    const std::string_view part(name.data() + part_start, position - part_start);
    return !part.empty() && part != "." && part != "..";
  };
  while (position < rest.size()) {
    const char c = rest[position];
    if (IsControl(c)) return false;
    if (c == '/') {
      if (!part_is_good()) return false;
      part_start = ++position;
      continue;
    }
    const size_t length = Utf8Length(rest.substr(position));
    if (length == 0) return false;
    position += length;
  }
  return part_is_good();
}

}  // namespace pgbackup
