#include "core/base/base64.h"

#include <algorithm>
#include <cstdint>

namespace pgbackup {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string ToBase64(std::span<const std::byte> data) {
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

std::optional<std::vector<std::byte>> FromBase64(std::string_view text) {
  std::vector<std::byte> data;
  const size_t digits = std::min(text.find('='), text.size());
  uint32_t group = 0;
  int bits = 0;
  for (const char c : text.substr(0, digits)) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    group = (group << 6 | static_cast<uint32_t>(digit)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    data.push_back(static_cast<std::byte>(group >> bits & 0xff));
  }
  if (ToBase64(data) != text) return std::nullopt;  // padding, and bits nobody needs
  return data;
}

}  // namespace pgbackup
