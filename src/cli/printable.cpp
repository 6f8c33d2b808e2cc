#include "cli/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/base/utf8.h"

namespace pgbackup {
namespace {

// The first character of valid UTF-8, and how many bytes it takes.
struct Character {
  unsigned code;
  size_t size;
};

Character FirstOf(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  unsigned code = size == 1 ? first : first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size && i < text.size(); ++i) code = code << 6 | (byte(i) & 0x3fu);
  return {code, std::min(size, text.size())};
}

bool IsHarmful(unsigned code) {
  const auto within = [code](unsigned from, unsigned to) { return code >= from && code <= to; };
  return code < 0x20 || within(0x7f, 0x9f) ||                 // C0, DEL, C1
         code == 0x61c || within(0x200e, 0x200f) ||           // marks of direction
         within(0x2028, 0x202e) || within(0x2066, 0x2069) ||  // separators, overrides, isolates
         within(0xfff9, 0xfffb) || within(0xe0000, 0xe007f);  // hidden text
}

std::string Replaced(std::string_view text, const std::function<std::string(unsigned)>& instead) {
  const std::string valid = ToValidUtf8(text);
  std::string result;
  result.reserve(valid.size());
  for (std::string_view rest = valid; !rest.empty();) {
    const Character next = FirstOf(rest);
    if (IsHarmful(next.code))
      result += instead(next.code);
    else
      result += rest.substr(0, next.size);
    rest.remove_prefix(next.size);
  }
  return result;
}

}  // namespace

std::string Printable(std::string_view text) {
  return Replaced(text, [](unsigned code) -> std::string {
    return code == '\n' ? "\n" : code == '\t' ? "\t" : "?";
  });
}

std::string PrintableInLine(std::string_view text) {
  return Replaced(
      text, [](unsigned code) -> std::string { return code == '\n' || code == '\t' ? " " : "?"; });
}

std::string PrintableJson(std::string_view json) {
  return Replaced(json, [](unsigned code) {
    if (code < 0x10000) return fmt::format("\\u{:04x}", code);
    return fmt::format("\\u{:04x}\\u{:04x}", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
  });
}

}  // namespace pgbackup
