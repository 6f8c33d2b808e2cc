#include "core/run/compression.h"

namespace pgbackup {

bool ParseCompression(std::string_view text, Compression* compression) noexcept {
  constexpr std::string_view kMethod = "zstd";
  if (text == kMethod) {
    *compression = Compression{};
    return true;
  }
  if (text.substr(0, kMethod.size()) != kMethod || text[kMethod.size()] != ':') return false;
  const std::string_view digits = text.substr(kMethod.size() + 1);
  if (digits.empty() || digits.size() > 2) return false;
  int level = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    level = level * 10 + (c - '0');
  }
  if (level < 1 || level > 19) return false;
  compression->level = level;
  return true;
}

}  // namespace pgbackup
