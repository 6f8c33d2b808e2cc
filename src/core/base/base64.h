// Base64 (RFC 4648, section 4), with padding.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

std::string ToBase64(std::span<const std::byte> data);

// nullopt for what is not exactly what ToBase64 gives for some bytes.
std::optional<std::vector<std::byte>> FromBase64(std::string_view text);

}  // namespace pgbackup
