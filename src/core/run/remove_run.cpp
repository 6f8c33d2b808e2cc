#include "core/run/remove_run.h"

#include <fmt/format.h>

#include "core/manifest/manifest_store.h"

namespace pgbackup {
namespace {

// Throws when the folder holds the backup of another run than the job's.
void CheckIsOurs(Storage& storage, const RemoveJob& job) {
  if (!storage.Head(ManifestObjectName(job.file_name))) return;
  const Manifest manifest = ReadManifest(storage, job.file_name, std::nullopt, {});
  if (manifest.id == job.id && manifest.cluster.system_identifier == job.system_identifier) return;
  throw Error(
      ErrorKind::kAlreadyExists,
      fmt::format("\"{}/{}\" holds the backup of another run", storage.url(), job.file_name),
      fmt::format("It is backup {} of the cluster with system identifier {}.", manifest.id,
                  manifest.cluster.system_identifier),
      "Nothing was removed.");
}

RunOutcome Remove(const RemoveJob& job, const RunContext& context) {
  const std::unique_ptr<Storage> storage = context.open_storage(context.cancellation);
  if (job.unless_backup) CheckIsOurs(*storage, job);
  context.progress.SetPhase("removing");
  const SweepReport report = storage->Sweep(job.file_name);
  RunOutcome outcome;
  outcome.fields["objects"] = report.objects;
  outcome.fields["unfinished_uploads"] = report.unfinished_uploads;
  return outcome;
}

}  // namespace

RunOutcome RunRemove(const RemoveJob& job, const RunContext& context) {
  try {
    return Remove(job, context);
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/false);
  }
}

}  // namespace pgbackup
