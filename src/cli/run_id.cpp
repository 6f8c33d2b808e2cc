#include "cli/run_id.h"

#include <array>

namespace pgbackup {

int64_t NewRunId(Environment& environment) {
  std::array<std::byte, 2> random;
  environment.FillRandom(random);
  const auto number = static_cast<int64_t>(random[0]) * 256 + static_cast<int64_t>(random[1]);
  const auto since = environment.Now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count() * 1000 + number % 1000;
}

}  // namespace pgbackup
