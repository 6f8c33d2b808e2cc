#include "shared/compression.h"

namespace pgbackup {
namespace {

struct CodecName {
  std::string_view name;
  Codec codec;
  int usual_level;
  int highest_level;  // 0: it has none
};

constexpr CodecName kCodecs[] = {{"zstd", Codec::kZstd, 3, 19},
                                 {"gzip", Codec::kGzip, 6, 9},
                                 {"lz4", Codec::kLz4, 1, 12},
                                 {"none", Codec::kNone, 0, 0}};

bool TakePrefix(std::string_view* text, std::string_view prefix) noexcept {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// A level as people write it: no sign, no blank, no zero in front.
bool ParseLevel(std::string_view digits, int highest, int* level) noexcept {
  if (digits.empty() || digits.size() > 2 || digits[0] == '0') return false;
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  if (value > highest) return false;
  *level = value;
  return true;
}

}  // namespace

bool ParseCompression(std::string_view text, Compression* compression) noexcept {
  for (const CodecName& known : kCodecs) {
    std::string_view rest = text;
    if (!TakePrefix(&rest, known.name)) continue;
    Compression parsed{known.codec, known.usual_level, false};
    constexpr std::string_view kLong = ",long";
    if (known.codec == Codec::kZstd && rest.size() >= kLong.size() &&
        rest.substr(rest.size() - kLong.size()) == kLong) {
      parsed.long_distance = true;
      rest.remove_suffix(kLong.size());
    }
    if (!rest.empty() &&
        !(TakePrefix(&rest, ":") && ParseLevel(rest, known.highest_level, &parsed.level)))
      return false;
    *compression = parsed;
    return true;
  }
  return false;
}

}  // namespace pgbackup
