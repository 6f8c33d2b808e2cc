// Classes of ASCII characters, whatever the locale.
#pragma once

namespace pgbackup {

constexpr bool IsDigit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool IsUpper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}

constexpr bool IsLetter(char c) noexcept {
  return IsUpper(c) || (c >= 'a' && c <= 'z');
}

constexpr bool IsControl(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

constexpr char AsciiLower(char c) noexcept {
  return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

// The value of a hexadecimal digit of either case; -1 for anything else.
constexpr int HexDigit(char c) noexcept {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace pgbackup
