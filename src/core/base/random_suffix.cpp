#include "core/base/random_suffix.h"

#include <fmt/format.h>

#include <array>

namespace pgbackup {

std::string RandomSuffix(Environment& environment) {
  std::array<std::byte, 4> bytes{};
  environment.FillRandom(bytes);
  std::string suffix;
  for (const std::byte byte : bytes) suffix += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return suffix;
}

}  // namespace pgbackup
