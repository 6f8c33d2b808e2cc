#include "core/base/utf8.h"

#include <cstdint>

namespace pgbackup {
namespace {

// The length of the well-formed character at the start of `text`, 0 when there is none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i, uint8_t from = 0x80, uint8_t to = 0xBF) {
    return i < text.size() && byte(i) >= from && byte(i) <= to;
  };
  const uint8_t first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const uint8_t from = first == 0xE0 ? 0xA0 : 0x80;
    const uint8_t to = first == 0xED ? 0x9F : 0xBF;  // no surrogates
    return continues(1, from, to) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const uint8_t from = first == 0xF0 ? 0x90 : 0x80;
    const uint8_t to = first == 0xF4 ? 0x8F : 0xBF;  // nothing above U+10FFFF
    return continues(1, from, to) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string ToValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0)
      valid += "\xEF\xBF\xBD";
    else
      valid += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string_view CutUtf8(std::string_view text, size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace pgbackup
