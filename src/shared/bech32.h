// Bech32 (BIP 173) of 32 bytes: how age writes X25519 keys as text.
//
// Used by the server module's check hook too: no exceptions, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace pgbackup {

inline constexpr std::string_view kRecipientPrefix = "age";
inline constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";

// Reads `text`, which is `prefix`, "1", and what stands for 32 bytes and a checksum, all in the
// case of the prefix. False, with *key undefined, for anything else.
bool KeyFromBech32(std::string_view text, std::string_view prefix,
                   std::span<std::byte, 32> key) noexcept;

struct Bech32Text {
  std::array<char, 96> characters{};
  size_t size = 0;
  std::string_view view() const noexcept { return {characters.data(), size}; }
};

// The other way. `prefix` has at most 32 characters.
Bech32Text KeyToBech32(std::span<const std::byte, 32> key, std::string_view prefix) noexcept;

}  // namespace pgbackup
