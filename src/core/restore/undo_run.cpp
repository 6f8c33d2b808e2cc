#include "core/restore/undo_run.h"

#include <fmt/format.h>

#include "core/restore/target/home_catalog.h"
#include "core/restore/target/swap.h"
#include "core/restore/target/target_database.h"

namespace pgbackup {
namespace {

void CheckCanBeUndone(const UndoJob& job, const RunContext& context) {
  PostgresConnection connection(SettingsFor(job.server, job.server.maintenance_database),
                                context.cancellation);
  if (!DatabaseExists(connection, job.incoming_database))
    throw Error(ErrorKind::kNotFound,
                fmt::format("database \"{}\" does not exist any more", job.incoming_database),
                "It held what the restore has replaced.", "Restore a backup of that time instead.");
  CheckCanBeReplaced(connection, job.incoming_database);
  CheckCanBeReplaced(connection, job.target_database);
  if (job.target_database != job.server.maintenance_database) return;
  PostgresConnection incoming(SettingsFor(job.server, job.incoming_database), context.cancellation);
  CheckHasExtension(incoming, job.incoming_database);
}

}  // namespace

RunOutcome RunUndo(const UndoJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("checking");
    CheckCanBeUndone(job, context);
    context.progress.SetPhase("swapping");
    SwapDatabases(job.server, job.server.maintenance_database,
                  {job.incoming_database, job.target_database, job.kept_database}, {job.id},
                  context.cancellation);
    return {};
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
