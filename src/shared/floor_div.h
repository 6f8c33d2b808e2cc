// Division that rounds down, also below zero.
#pragma once

#include <cstdint>

namespace pgbackup {

constexpr int64_t FloorDiv(int64_t a, int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace pgbackup
