// The header of an age file (age-encryption.org/v1, "Header"): stanzas, each of which wraps the
// file key for one recipient, and a MAC over them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/age/primitives.h"
#include "core/age/secret.h"

namespace pgbackup {

struct Stanza {
  std::string type;
  std::vector<std::string> arguments;
  std::vector<std::byte> body;
};

struct AgeHeader {
  std::vector<Stanza> stanzas;
  std::string authenticated;  // what the MAC covers
  std::vector<std::byte> mac;
};

// The text of a header, to its last line feed.
std::string AgeHeaderText(const std::vector<Stanza>& stanzas, const FileKey& key);

// How many bytes of `text`, the beginning of an age file, are its header; npos while its end has
// not come. kCorrupt, naming the object `name`, as soon as it can be no header.
size_t AgeHeaderSize(std::string_view text, std::string_view name);

// Parses a whole header, exactly as the specification wants it; kCorrupt for anything else.
AgeHeader ParseAgeHeader(std::string_view text, std::string_view name);

// Throws kCorrupt unless the header's MAC is that of the file key.
void CheckHeaderMac(const AgeHeader& header, const FileKey& key, std::string_view name);

// Throws kCorrupt: the header of object `name` is not what the specification wants.
[[noreturn]] void ThrowBadHeader(std::string_view name);

// Base64 without padding, canonical.
std::string ToAgeBase64(std::span<const std::byte> data);
std::optional<std::vector<std::byte>> FromAgeBase64(std::string_view text);

}  // namespace pgbackup
