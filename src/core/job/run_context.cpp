#include "core/job/run_context.h"

#include <fmt/format.h>

#include <new>

namespace pgbackup {

RunOutcome OutcomeOf(const std::exception_ptr& failure, bool cleaned) {
  RunOutcome outcome;
  outcome.state = RunState::kFailed;
  outcome.cleaned = cleaned;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) outcome.state = RunState::kCancelled;
    outcome.error = error;
  } catch (const std::bad_alloc&) {
    outcome.error = Error(ErrorKind::kInternal, "out of memory");
  } catch (const std::exception& error) {
    outcome.error = Error(ErrorKind::kInternal, fmt::format("unexpected error: {}", error.what()));
  }
  return outcome;
}

RunOutcome Ended(RunOutcome outcome, const EndRequest& request) {
  if (!request.is_made || outcome.state == RunState::kCompleted) return outcome;
  outcome.state = RunState::kCancelled;
  if (request.reason.empty()) return outcome;
  outcome.state = RunState::kFailed;
  outcome.error = Error(ErrorKind::kCancelled, request.reason);
  return outcome;
}

}  // namespace pgbackup
