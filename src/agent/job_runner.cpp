#include "agent/job_runner.h"

#include <unistd.h>

#include "core/copies/copy_run.h"
#include "core/dump/backup_run.h"
#include "core/restore/drop_run.h"
#include "core/restore/restore_run.h"
#include "core/restore/undo_run.h"
#include "core/run/check_run.h"
#include "core/run/janitor_run.h"
#include "core/run/presign_run.h"
#include "core/run/remove_run.h"

namespace pgbackup {
namespace {

RunOutcome Run(const BackupJob& job, const RunContext& context) {
  return RunBackup(job, context);
}
RunOutcome Run(const RestoreJob& job, const RunContext& context) {
  return RunRestore(job, context);
}
RunOutcome Run(const UndoJob& job, const RunContext& context) {
  return RunUndo(job, context);
}
RunOutcome Run(const RemoveJob& job, const RunContext& context) {
  return RunRemove(job, context);
}
RunOutcome Run(const DropJob& job, const RunContext& context) {
  return RunDrop(job, context);
}
RunOutcome Run(const PresignJob& job, const RunContext& context) {
  return RunPresign(job, context);
}
RunOutcome Run(const CopyJob& job, const RunContext& context) {
  return RunCopy(job, context);
}
RunOutcome Run(const CheckJob& job, const RunContext& context) {
  return RunCheck(job, context);
}
RunOutcome Run(const JanitorJob& job, const RunContext& context) {
  return RunJanitor(job, context);
}

}  // namespace

RunOutcome RunJob(const Job& job, Cancellation& cancellation, Progress& progress,
                  const std::function<void(const boost::json::object&)>& announce_stored,
                  const std::function<void(const std::string&)>& log) {
  const auto environment = SystemEnvironment();
  return std::visit(
      [&](const auto& each) {
        if (each.nice > 0 && nice(static_cast<int>(each.nice)) == -1)
          log("could not lower the priority");
        std::optional<Throttle> throttle;
        if (each.storage.bandwidth_limit > 0)
          throttle.emplace(each.storage.bandwidth_limit, *environment);
        const auto open = [&](const StorageSettings& settings, const Cancellation& until) {
          return OpenStorage(settings, *environment, until, throttle ? &*throttle : nullptr);
        };
        const auto open_own = [&](const Cancellation& until) { return open(each.storage, until); };
        const RunContext context{*environment, cancellation, progress,       open_own,
                                 log,          open,         announce_stored};
        return Run(each, context);
      },
      job);
}

}  // namespace pgbackup
