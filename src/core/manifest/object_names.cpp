#include "core/manifest/object_names.h"

#include <algorithm>

namespace pgbackup {
namespace {

bool AreDigits(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool TakeSuffix(std::string_view* text, std::string_view suffix) noexcept {
  if (text->size() < suffix.size() || text->substr(text->size() - suffix.size()) != suffix)
    return false;
  text->remove_suffix(suffix.size());
  return true;
}

// Takes off ".part2" and the like; a name without it is whole.
void TakePart(std::string_view* name) noexcept {
  constexpr std::string_view kPart = ".part";
  const size_t at = name->rfind(kPart);
  if (at != std::string_view::npos && AreDigits(name->substr(at + kPart.size())))
    *name = name->substr(0, at);
}

bool IsData(std::string_view name) noexcept {
  constexpr std::string_view kData = "data-";
  return name.substr(0, kData.size()) == kData && name.size() >= kData.size() + 3 &&
         AreDigits(name.substr(kData.size()));
}

}  // namespace

bool IsBackupObjectName(std::string_view leaf) noexcept {
  TakePart(&leaf);
  TakeSuffix(&leaf, ".age");
  if (!TakeSuffix(&leaf, ".zst")) return false;
  if (leaf == "contents.json") return true;
  if (TakeSuffix(&leaf, ".sql")) return leaf == "database" || leaf == "globals" || IsData(leaf);
  return TakeSuffix(&leaf, ".dump") && (leaf == "schema" || leaf == "database" || IsData(leaf));
}

}  // namespace pgbackup
