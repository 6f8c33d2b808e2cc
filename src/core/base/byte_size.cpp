#include "core/base/byte_size.h"

#include <fmt/format.h>

#include <iterator>

namespace pgbackup {

std::string InByteUnits(uint64_t bytes) {
  constexpr uint64_t kMost = 10240;  // of a unit; more is told in the next one
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  uint64_t rest = 0;  // the last bit that went
  while (bytes >= kMost && unit + 1 < std::size(kUnits)) {
    rest = (bytes >> 9) & 1;
    bytes >>= 10;
    ++unit;
  }
  return fmt::format("{} {}", bytes + rest, kUnits[unit]);
}

}  // namespace pgbackup
