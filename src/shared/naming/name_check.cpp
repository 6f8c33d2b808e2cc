#include "shared/ascii.h"
#include "shared/naming/name_element.h"
#include "shared/naming/name_template.h"

namespace pgbackup {
namespace {

constexpr const char* kEmpty = "The name template is empty.";
constexpr const char* kAbsolute = "The name template starts with a slash.";
constexpr const char* kEmptyPart = "The name template has an empty part between slashes.";
constexpr const char* kDotPart = "The name template has a part that can become \".\" or \"..\".";
constexpr const char* kControl = "The name template contains a backslash or a control character.";
constexpr const char* kNotUnique =
    "The name template has neither {id} nor {time:PATTERN}, so two backups would collide.";

// What a template's part between two slashes is made of.
struct PartShape {
  size_t literal_bytes = 0;
  bool only_dots = true;     // its literal text
  bool has_fields = false;   // placeholders that may stay empty
  bool never_empty = false;  // {id} or {time:}
};

const char* CheckPart(const PartShape& part) {
  if (part.literal_bytes > kMaxNamePartLength) return kNamePartTooLong;
  if (part.never_empty) return nullptr;
  if (part.literal_bytes == 0) return part.has_fields ? nullptr : kEmptyPart;
  return part.only_dots && part.literal_bytes <= 2 ? kDotPart : nullptr;
}

const char* CheckCharacters(std::string_view text) {
  if (text.empty()) return kEmpty;
  if (text.front() == '/') return kAbsolute;
  if (text.size() > kMaxNameLength) return kNameTooLong;
  for (const char c : text)
    if (IsControl(c) || c == '\\') return kControl;
  return nullptr;
}

const char* CheckElements(std::string_view text) {
  bool unique = false;
  PartShape part;
  while (!text.empty()) {
    NameElement element;
    const char* error = nullptr;
    if (!TakeNameElement(&text, &element, &error)) return error;
    switch (element.kind) {
      case NameElementKind::kSlash:
        error = CheckPart(part);
        if (error != nullptr) return error;
        part = {};
        break;
      case NameElementKind::kLiteral:
        part.literal_bytes += element.text.size();
        part.only_dots = part.only_dots && element.text == ".";
        break;
      case NameElementKind::kId:
      case NameElementKind::kTime:
        part.never_empty = true;
        unique = true;
        break;
      default:
        part.has_fields = true;
    }
  }
  const char* error = CheckPart(part);
  return error == nullptr && !unique ? kNotUnique : error;
}

}  // namespace

bool NamesAreUnique(std::string_view text) noexcept {
  bool has_instance = false, has_id = false;
  while (!text.empty()) {
    NameElement element;
    const char* error = nullptr;
    if (!TakeNameElement(&text, &element, &error)) return false;
    has_instance = has_instance || element.kind == NameElementKind::kInstance;
    has_id = has_id || element.kind == NameElementKind::kId;
  }
  return has_instance && has_id;
}

bool CheckNameTemplate(std::string_view text, const char** error) noexcept {
  *error = CheckCharacters(text);
  if (*error == nullptr) *error = CheckElements(text);
  return *error == nullptr;
}

}  // namespace pgbackup
