#include "shared/bech32.h"

#include <cstdint>

#include "shared/ascii.h"

namespace pgbackup {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kKeyDigits = 52;  // of five bits each; the last holds one bit of the key
constexpr size_t kChecksumDigits = 6;

class Bech32Checksum {
 public:
  // Begins with the prefix, which counts in lower case.
  explicit Bech32Checksum(std::string_view prefix) noexcept {
    for (const char c : prefix) Add(static_cast<uint8_t>(AsciiLower(c)) >> 5);
    Add(0);
    for (const char c : prefix) Add(static_cast<uint8_t>(AsciiLower(c)) & 31);
  }

  void Add(uint32_t digit) noexcept {
    constexpr std::array<uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                    0x2a1462b3};
    const uint32_t top = state_ >> 25;
    state_ = ((state_ & 0x1ffffff) << 5) ^ digit;
    for (size_t i = 0; i < kGenerator.size(); ++i)
      if (((top >> i) & 1) != 0) state_ ^= kGenerator[i];
  }

  uint32_t state() const noexcept { return state_; }

 private:
  uint32_t state_ = 1;
};

bool IsUpperCase(std::string_view prefix) noexcept {
  return IsUpper(prefix.front());
}

}  // namespace

bool KeyFromBech32(std::string_view text, std::string_view prefix,
                   std::span<std::byte, 32> key) noexcept {
  if (text.size() != prefix.size() + 1 + kKeyDigits + kChecksumDigits ||
      text.substr(0, prefix.size()) != prefix || text[prefix.size()] != '1')
    return false;
  const bool upper = IsUpperCase(prefix);
  Bech32Checksum checksum(prefix);
  uint32_t held = 0;
  int bits = 0;
  size_t filled = 0;
  size_t at = 0;
  for (const char c : text.substr(prefix.size() + 1)) {
    const size_t digit = kAlphabet.find(upper ? AsciiLower(c) : c);
    if (digit == std::string_view::npos || (upper && c >= 'a' && c <= 'z')) return false;
    checksum.Add(static_cast<uint32_t>(digit));
    if (at++ >= kKeyDigits) continue;
    held = ((held << 5) | static_cast<uint32_t>(digit)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    key[filled++] = static_cast<std::byte>((held >> bits) & 255);
  }
  // What fills the last digit is zeros.
  return (held & ((1u << bits) - 1)) == 0 && checksum.state() == 1;
}

Bech32Text KeyToBech32(std::span<const std::byte, 32> key, std::string_view prefix) noexcept {
  const bool upper = IsUpperCase(prefix);
  Bech32Text text;
  const auto append = [&](char c) { text.characters[text.size++] = c; };
  Bech32Checksum checksum(prefix);
  const auto append_digit = [&](uint32_t digit) {
    const char c = kAlphabet[digit & 31];
    append(upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c);
  };
  for (const char c : prefix) append(c);
  append('1');
  uint32_t held = 0;
  int bits = 0;
  const auto add = [&](uint32_t digit) {
    checksum.Add(digit & 31);
    append_digit(digit);
  };
  for (const std::byte byte : key) {
    held = ((held << 8) | std::to_integer<uint32_t>(byte)) & 0xfff;
    for (bits += 8; bits >= 5;) {
      bits -= 5;
      add(held >> bits);
    }
  }
  add(held << (5 - bits));
  for (size_t i = 0; i < kChecksumDigits; ++i) checksum.Add(0);
  const uint32_t sum = checksum.state() ^ 1;
  for (size_t i = 0; i < kChecksumDigits; ++i) append_digit(sum >> (5 * (kChecksumDigits - 1 - i)));
  return text;
}

}  // namespace pgbackup
