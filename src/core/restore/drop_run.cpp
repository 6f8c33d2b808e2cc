#include "core/restore/drop_run.h"

#include "core/restore/target/target_database.h"

namespace pgbackup {

RunOutcome RunDrop(const DropJob& job, const RunContext& context) {
  try {
    if (job.kept_oid) {
      DropKeptDatabase(job.server, job.target_database, *job.kept_oid, context.cancellation);
      return {};
    }
    DropSideDatabase(job.server, job.target_database, context.cancellation);
    return {};
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/false);
  }
}

}  // namespace pgbackup
