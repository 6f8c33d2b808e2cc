#include "shared/naming/name_element.h"

namespace pgbackup {
namespace {

constexpr const char* kNotUtf8 = "The name template contains a byte that is not UTF-8.";
constexpr const char* kUnclosed = "The name template has an opening brace that is never closed.";
constexpr const char* kUnopened =
    "The name template has a closing brace that was never opened; write }} for a brace.";
constexpr const char* kUnknown =
    "The name template has an unknown placeholder; known are {cluster}, {instance}, {environment}, "
    "{database}, {schedule}, {label}, {type}, {id} and {time:PATTERN}.";
constexpr const char* kBadTime =
    "The pattern in {time:PATTERN} is empty, too long or no strftime pattern, like "
    "%Y-%m-%d_%H%M%S.";
constexpr const char* kTimeSlash =
    "The pattern in {time:PATTERN} contains a slash; write {time:%Y}/{time:%m} for folders.";

struct Placeholder {
  std::string_view name;
  NameElementKind kind;
};

constexpr Placeholder kPlaceholders[] = {
    {"cluster", NameElementKind::kCluster},
    {"instance", NameElementKind::kInstance},
    {"environment", NameElementKind::kEnvironment},
    {"database", NameElementKind::kDatabase},
    {"schedule", NameElementKind::kSchedule},
    {"label", NameElementKind::kLabel},
    {"type", NameElementKind::kType},
    {"id", NameElementKind::kId},
};

bool IsTimePattern(std::string_view pattern) {
  constexpr std::string_view kConversions = "aAbBcCdDeFgGhHIjmMnprRsStTuUVwWxXyYzZ%";
  if (pattern.empty() || pattern.size() > kMaxTimePattern) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (++i == pattern.size()) return false;
    if (kConversions.find(pattern[i]) == std::string_view::npos) return false;
  }
  return true;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Takes a placeholder, `rest` starting with its opening brace.
bool TakePlaceholder(std::string_view* rest, NameElement* element, const char** error) {
  constexpr std::string_view kTimePrefix = "time:";
  const size_t close = rest->find('}');
  if (close == std::string_view::npos || rest->find('{', 1) < close) {
    *error = kUnclosed;
    return false;
  }
  std::string_view inside = rest->substr(1, close - 1);
  rest->remove_prefix(close + 1);
  for (const Placeholder& placeholder : kPlaceholders) {
    if (inside != placeholder.name) continue;
    *element = {placeholder.kind, {}};
    return true;
  }
  if (!StartsWith(inside, kTimePrefix)) {
    *error = kUnknown;
    return false;
  }
  inside.remove_prefix(kTimePrefix.size());
  if (inside.find('/') != std::string_view::npos) {
    *error = kTimeSlash;
    return false;
  }
  *error = kBadTime;
  *element = {NameElementKind::kTime, inside};
  return IsTimePattern(inside);
}

}  // namespace

size_t Utf8CharacterLength(std::string_view text) noexcept {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
    return 0;
  return length;
}

bool TakeNameElement(std::string_view* rest, NameElement* element, const char** error) noexcept {
  const char c = rest->front();
  if (c == '{' && !StartsWith(*rest, "{{")) return TakePlaceholder(rest, element, error);
  if (c == '{' || c == '}') {
    rest->remove_prefix(1);
    if (rest->empty() || rest->front() != c) {
      *error = kUnopened;
      return false;
    }
  }
  const size_t length = Utf8CharacterLength(*rest);
  if (length == 0) {
    *error = kNotUtf8;
    return false;
  }
  *element = {c == '/' ? NameElementKind::kSlash : NameElementKind::kLiteral,
              rest->substr(0, length)};
  rest->remove_prefix(length);
  return true;
}

}  // namespace pgbackup
