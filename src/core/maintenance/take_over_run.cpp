#include "core/maintenance/take_over_run.h"

#include <fmt/format.h>

#include "core/ownership/lease.h"

namespace pgbackup {
namespace {

RunOutcome TakeOver(const TakeOverJob& job, const RunContext& context) {
  const std::unique_ptr<Storage> storage = context.open_storage(context.cancellation);
  const std::string token = job.token.empty() ? job.instance.token : job.token;
  if (token != job.instance.token && !ReadLease(*storage, token))
    throw Error(
        ErrorKind::kNotFound,
        fmt::format("no server with token \"{}\" has left a marker in {}", token, storage->url()),
        {},
        "The objects below pgbackup-instances/ there are named after the tokens of those that "
        "have.");
  const std::optional<Lease> before = TakeOverLease(*storage, token, job.instance, job.cluster);
  RunOutcome outcome;
  if (before) outcome.fields["before"] = LeaseToJson(*before, job.instance);
  if (const std::optional<Lease> now = ReadLease(*storage, token))
    outcome.fields["lease"] = LeaseToJson(*now, job.instance);
  return outcome;
}

}  // namespace

RunOutcome RunTakeOver(const TakeOverJob& job, const RunContext& context) {
  try {
    return TakeOver(job, context);
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
