#include "core/base/base64.h"

#include <cstdint>

namespace pgbackup {

std::string ToBase64(std::span<const std::byte> data) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (size_t at = 0; at < data.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = at; i < at + 3; ++i)
      group = group << 8 | (i < data.size() ? std::to_integer<uint32_t>(data[i]) : 0);
    for (size_t digit = 0; digit < 4; ++digit)
      text += digit <= data.size() - at ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

}  // namespace pgbackup
