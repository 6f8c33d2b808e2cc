#include "core/run/run_context.h"

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

}  // namespace pgbackup
