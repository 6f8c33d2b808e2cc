// The elements a name template is made of; shared by its check and its expansion.
//
// No exceptions, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgbackup {

inline constexpr size_t kMaxTimePattern = 128;
inline constexpr const char* kNameTooLong = "The name is longer than 900 bytes.";
inline constexpr const char* kNamePartTooLong = "A part of the name is longer than 255 bytes.";

enum class NameElementKind {
  kLiteral,
  kSlash,
  kCluster,
  kInstance,
  kEnvironment,
  kDatabase,
  kSchedule,
  kLabel,
  kType,
  kId,
  kTime
};

// One element: a literal character, a slash or a placeholder.
struct NameElement {
  NameElementKind kind = NameElementKind::kLiteral;
  std::string_view text;  // the character, or the pattern of a time
};

// Takes the next element off `rest`, which is not empty. On failure returns false and points *error
// at a whole sentence.
bool TakeNameElement(std::string_view* rest, NameElement* element, const char** error) noexcept;

// The length of the UTF-8 character `text` (not empty) starts with, 0 when there is none (RFC 3629:
// shortest form only, no surrogates, nothing above U+10FFFF).
size_t Utf8CharacterLength(std::string_view text) noexcept;

}  // namespace pgbackup
