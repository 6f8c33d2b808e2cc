// Texts that come from elsewhere (tools, old databases) made fit for JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgbackup {

// The text with every byte that is not part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD,
// and every NUL too, which a jsonb value cannot hold.
std::string ToValidUtf8(std::string_view text);

// The longest start of `text` of at most `size` bytes that does not cut a character.
std::string_view CutUtf8(std::string_view text, size_t size) noexcept;

}  // namespace pgbackup
