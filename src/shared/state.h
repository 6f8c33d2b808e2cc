// The life of a run (a backup, a restore): its states and the legal ways between them.
//
//   pending ──► in_progress ──► completed ──► expired
//      │             │              ▲
//      │             │              │ (it was complete in the storage)
//      │             ├────────► failed
//      └─────────────┴────────► cancelled        pending ──► failed (could not be started)
//
// Used by the server module too: no exceptions, no allocation.
#pragma once

#include <optional>
#include <string_view>

namespace pgbackup {

enum class RunState { kPending, kInProgress, kCompleted, kFailed, kCancelled, kExpired };

constexpr const char* StateName(RunState state) noexcept {
  switch (state) {
    case RunState::kPending:
      return "pending";
    case RunState::kInProgress:
      return "in_progress";
    case RunState::kCompleted:
      return "completed";
    case RunState::kFailed:
      return "failed";
    case RunState::kCancelled:
      return "cancelled";
    case RunState::kExpired:
      break;
  }
  return "expired";
}

constexpr std::optional<RunState> ParseState(std::string_view name) noexcept {
  for (const RunState state : {RunState::kPending, RunState::kInProgress, RunState::kCompleted,
                               RunState::kFailed, RunState::kCancelled, RunState::kExpired})
    if (name == StateName(state)) return state;
  return std::nullopt;
}

constexpr bool IsLegalTransition(RunState from, RunState to) noexcept {
  switch (from) {
    case RunState::kPending:
      return to == RunState::kInProgress || to == RunState::kFailed || to == RunState::kCancelled;
    case RunState::kInProgress:
      return to == RunState::kCompleted || to == RunState::kFailed || to == RunState::kCancelled;
    case RunState::kCompleted:
      return to == RunState::kExpired;
    case RunState::kFailed:
      return to == RunState::kCompleted;
    default:
      return false;
  }
}

// The same for a copy of a backup, which is never cancelled or expired: it fails, and a failed one
// is tried again.
constexpr bool IsLegalCopyTransition(RunState from, RunState to) noexcept {
  if (from == RunState::kFailed) return to == RunState::kInProgress;
  return to != RunState::kCancelled && to != RunState::kExpired && IsLegalTransition(from, to);
}

// True when nothing more happens to the run by itself.
constexpr bool IsFinal(RunState state) noexcept {
  return state != RunState::kPending && state != RunState::kInProgress;
}

}  // namespace pgbackup
