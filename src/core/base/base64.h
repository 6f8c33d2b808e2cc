// Base64 (RFC 4648, section 4), with padding.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace pgbackup {

std::string ToBase64(std::span<const std::byte> data);

}  // namespace pgbackup
