// MD5 (RFC 1321), for the headers of S3 that want it. Proves nothing against an attacker.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace pgbackup {

// nullopt where OpenSSL refuses it, as in FIPS mode.
std::optional<std::array<std::byte, 16>> Md5Of(std::span<const std::byte> data);

}  // namespace pgbackup
