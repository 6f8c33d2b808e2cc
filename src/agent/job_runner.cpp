#include "agent/job_runner.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/check/check_run.h"
#include "core/copies/copy_run.h"
#include "core/dump/backup_run.h"
#include "core/job/stall_watch.h"
#include "core/maintenance/inventory_run.h"
#include "core/maintenance/janitor_run.h"
#include "core/maintenance/marks_run.h"
#include "core/maintenance/presign_run.h"
#include "core/maintenance/remove_run.h"
#include "core/maintenance/take_over_run.h"
#include "core/notify/mail_run.h"
#include "core/notify/webhook_run.h"
#include "core/passkey/passkey_run.h"
#include "core/restore/contents_run.h"
#include "core/restore/drop_run.h"
#include "core/restore/restore_run.h"
#include "core/restore/undo_run.h"
#include "core/verify/verify_run.h"

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
RunOutcome Run(const VerifyJob& job, const RunContext& context) {
  return RunVerify(job, context);
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
RunOutcome Run(const InventoryJob& job, const RunContext& context) {
  return RunInventory(job, context);
}
RunOutcome Run(const ContentsJob& job, const RunContext& context) {
  return RunContents(job, context);
}
RunOutcome Run(const PasskeyJob& job, const RunContext& context) {
  return RunPasskey(job, context);
}
RunOutcome Run(const WebhookJob& job, const RunContext& context) {
  return RunWebhook(job, context);
}
RunOutcome Run(const TakeOverJob& job, const RunContext& context) {
  return RunTakeOver(job, context);
}
RunOutcome Run(const MarksJob& job, const RunContext& context) {
  return RunMarks(job, context);
}
RunOutcome Run(const MailJob& job, const RunContext& context) {
  return RunMail(job, context);
}

// Of this process and the programs it starts, for the processor and, where the kernel heeds that,
// the disk. False when the processor's cannot be changed.
bool LowerPriority(int by) {
  // linux/ioprio.h came late: class 2 is best effort, 7 its lowest level, 1 means a process.
  constexpr int kLowestBestEffort = 2 << 13 | 7;
  syscall(SYS_ioprio_set, 1, 0, kLowestBestEffort);
  errno = 0;
  return nice(by) != -1 || errno == 0;
}

// Ends a run that is stalled.
class StallEnd {
 public:
  StallEnd(std::chrono::milliseconds limit, Cancellation& cancellation, const Progress& progress,
           Environment& environment, const RunSurroundings& around)
      : error_(ErrorKind::kUnavailable, ""),
        watch_(
            limit, progress, environment,
            [this, limit, &cancellation, &progress] {
              error_ = Stalled(limit, progress.phase());
              is_over_ = true;
              cancellation.Cancel();
            },
            [this, &around] { around.abandon(error_); }) {}

  EndRequest request() const {
    return is_over_ ? EndRequest{true, error_.message()} : EndRequest();
  }

  RunOutcome Explained(RunOutcome outcome) const {
    if (!is_over_ || outcome.state == RunState::kCompleted) return outcome;
    outcome.state = RunState::kFailed;
    outcome.error = error_;
    return outcome;
  }

 private:
  Error error_;  // not changed any more once is_over_
  std::atomic<bool> is_over_{false};
  const StallWatch watch_;
};

}  // namespace

RunOutcome WithContext(const JobBase& job, Cancellation& cancellation, Progress& progress,
                       const RunSurroundings& around,
                       const std::function<RunOutcome(const RunContext&)>& run) {
  const auto environment = SystemEnvironment();
  if (job.nice > 0 && !LowerPriority(static_cast<int>(job.nice)))
    around.log("could not lower the priority");
  std::optional<Throttle> throttle;
  if (job.storage.bandwidth_limit > 0) throttle.emplace(job.storage.bandwidth_limit, *environment);
  const auto open = [&](const StorageSettings& settings, const Cancellation& until) {
    return OpenStorage(settings, *environment, until, throttle ? &*throttle : nullptr);
  };
  const auto open_own = [&](const Cancellation& until) { return open(job.storage, until); };
  StallEnd stall(job.stall_timeout, cancellation, progress, *environment, around);
  const auto end_request = [&] {
    const EndRequest request = around.end_request();
    return request.is_made ? request : stall.request();
  };
  return stall.Explained(run({*environment, cancellation, progress, open_own, around.log, open,
                              around.announce_stored, end_request}));
}

RunOutcome RunJob(const Job& job, Cancellation& cancellation, Progress& progress,
                  const RunSurroundings& around) {
  return std::visit(
      [&](const auto& each) {
        return WithContext(each, cancellation, progress, around,
                           [&](const RunContext& context) { return Run(each, context); });
      },
      job);
}

}  // namespace pgbackup
