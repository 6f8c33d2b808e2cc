#include "core/manifest/object_names.h"

#include <algorithm>
#include <initializer_list>

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

// Takes off the suffix of a codec; a name without it is that of an object that is not compressed.
Codec TakeCodec(std::string_view* name) noexcept {
  for (const Codec codec : {Codec::kZstd, Codec::kGzip, Codec::kLz4})
    if (TakeSuffix(name, CodecSuffix(codec))) return codec;
  return Codec::kNone;
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

bool IsBackupObjectName(std::string_view leaf) noexcept {
  TakePart(&leaf);
  const bool encrypted = TakeSuffix(&leaf, kEncryptedSuffix);
  const Codec codec = TakeCodec(&leaf);
  // As it is, this name could be anybody's, and no backup writes it.
  if (leaf == "contents.json") return encrypted || codec != Codec::kNone;
  if (TakeSuffix(&leaf, ".sql")) return leaf == "database" || leaf == "globals" || IsData(leaf);
  return TakeSuffix(&leaf, ".dump") && (leaf == "schema" || leaf == "database" || IsData(leaf));
}

}  // namespace pgbackup
