// The value of pgbackup.restore_passkey: "scrypt$ln=16,r=8,p=1$SALT$HASH", the two in hexadecimal.
//
// Used by the server module's check hook too: no exceptions, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pgbackup {

struct PasskeyHash {
  int log_n = 0;  // N is 2^log_n (RFC 7914), r is 8, p is 1
  std::array<std::byte, 16> salt{};
  std::array<std::byte, 32> hash{};
};

// False for anything but what HashPasskey (passkey.h) makes, or would make at another cost.
bool ParsePasskeyHash(std::string_view text, PasskeyHash* hash) noexcept;

}  // namespace pgbackup
