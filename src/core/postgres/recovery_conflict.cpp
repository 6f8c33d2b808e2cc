#include "core/postgres/recovery_conflict.h"

#include <fmt/format.h>

namespace pgbackup {

bool IsRecoveryConflict(std::string_view message) noexcept {
  return message.find("due to conflict with recovery") != std::string_view::npos;
}

Error RecoveryConflict(std::string_view who, std::string detail) {
  return Error(
      ErrorKind::kBusy, fmt::format("{} stood in the way of the standby's recovery", who),
      std::move(detail),
      "Set hot_standby_feedback = on on the standby, or raise its max_standby_streaming_delay.");
}

}  // namespace pgbackup
