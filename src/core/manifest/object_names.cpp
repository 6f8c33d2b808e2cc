#include "core/manifest/object_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace pgbackup {
namespace {

constexpr std::string_view kRunKeyMark = ".run";
constexpr size_t kRunKeyDigits = 8;

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

// Takes off the suffix of a codec; a name without it is that of an object that is not compressed.
Codec TakeCodec(std::string_view* name) noexcept {
  for (const Codec codec : {Codec::kZstd, Codec::kGzip, Codec::kLz4})
    if (TakeSuffix(name, CodecSuffix(codec))) return codec;
  return Codec::kNone;
}

// Takes off what WithRunKey has put in; false when there is nothing of it.
bool TakeRunKey(std::string_view* name) noexcept {
  const size_t size = kRunKeyMark.size() + kRunKeyDigits;
  if (name->size() < size) return false;
  const std::string_view end = name->substr(name->size() - size);
  if (!end.starts_with(kRunKeyMark) ||
      end.find_first_not_of("0123456789abcdef", kRunKeyMark.size()) != std::string_view::npos)
    return false;
  name->remove_suffix(size);
  return true;
}

bool IsData(std::string_view name) noexcept {
  constexpr std::string_view kData = "data-";
  return name.substr(0, kData.size()) == kData && name.size() >= kData.size() + 3 &&
         AreDigits(name.substr(kData.size()));
}

}  // namespace

std::string_view CodecSuffix(Codec codec) noexcept {
  switch (codec) {
    case Codec::kZstd:
      return ".zst";
    case Codec::kGzip:
      return ".gz";
    case Codec::kLz4:
      return ".lz4";
    case Codec::kNone:
      break;
  }
  return "";
}

Codec CodecOfObject(std::string_view name) noexcept {
  TakePart(&name);
  TakeSuffix(&name, kEncryptedSuffix);
  return TakeCodec(&name);
}

bool IsEncryptedObject(std::string_view name) noexcept {
  TakePart(&name);
  return name.ends_with(kEncryptedSuffix);
}

std::string WithRunKey(std::string_view name, std::string_view run_key) {
  const size_t dot = std::min(name.rfind('.'), name.size());
  return fmt::format("{}{}{}{}", name.substr(0, dot), kRunKeyMark, run_key.substr(0, kRunKeyDigits),
                     name.substr(dot));
}

bool HasRunKey(std::string_view leaf, std::string_view run_key) noexcept {
  const size_t mark = leaf.find(kRunKeyMark);
  return mark != std::string_view::npos && IsBackupObjectName(leaf) &&
         leaf.substr(mark + kRunKeyMark.size(), kRunKeyDigits) == run_key.substr(0, kRunKeyDigits);
}

bool IsBackupObjectName(std::string_view leaf) noexcept {
  TakePart(&leaf);
  const bool encrypted = TakeSuffix(&leaf, kEncryptedSuffix);
  const Codec codec = TakeCodec(&leaf);
  if (TakeSuffix(&leaf, ".json")) {
    // As it is, this name could be anybody's, and no backup writes it.
    const bool has_key = TakeRunKey(&leaf);
    return leaf == "contents" && (has_key || encrypted || codec != Codec::kNone);
  }
  const bool is_sql = TakeSuffix(&leaf, ".sql");
  if (!is_sql && !TakeSuffix(&leaf, ".dump")) return false;
  TakeRunKey(&leaf);
  return leaf == "database" || IsData(leaf) || leaf == (is_sql ? "globals" : "schema");
}

}  // namespace pgbackup
