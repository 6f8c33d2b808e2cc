#include "core/maintenance/remove_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/manifest/backup_fields.h"
#include "core/manifest/manifest_store.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"

namespace pgbackup {
namespace {

class Removal {
 public:
  Removal(const RemoveJob& job, const RunContext& context)
      : job_(job), context_(context), storage_(context.open_storage(context.cancellation)) {}

  // Throws what went wrong.
  RunOutcome Run();

 private:
  // What the folder holds.
  struct Found {
    std::optional<Claim> claim;
    std::string manifest;  // its text; empty: none
  };

  Found Look();
  void CheckIsOurs(const Found& found) const;
  Instance WriterOf(const Found& found) const;

  const RemoveJob& job_;
  const RunContext& context_;
  const std::unique_ptr<Storage> storage_;
};

Removal::Found Removal::Look() {
  Found found;
  found.claim = ReadClaim(*storage_, job_.file_name);
  if (storage_->Head(ManifestObjectName(job_.file_name)))
    found.manifest = ReadManifestText(*storage_, job_.file_name);
  return found;
}

bool IsEmpty(Storage& storage, const std::string& folder) {
  bool is_empty = true;
  storage.List(folder + "/", [&](const ObjectInfo&) { is_empty = false; });
  storage.ListUnfinished(folder + "/", [&](const UnfinishedUpload&) { is_empty = false; });
  return is_empty;
}

[[noreturn]] void ThrowAnotherRuns(const Storage& storage, const RemoveJob& job, int64_t id,
                                   const Instance& instance) {
  throw Error(
      ErrorKind::kAlreadyExists,
      fmt::format("\"{}/{}\" holds the backup of another run", storage.url(), job.file_name),
      fmt::format("It is backup {} of the cluster with system identifier {}, instance {}.", id,
                  instance.system_identifier, InstanceName(instance)),
      "Nothing was removed.");
}

// pg_upgrade gives a cluster another system identifier.
bool IsOfCluster(const std::string& system_identifier, const RemoveJob& job) {
  const auto& earlier = job.earlier_system_identifiers;
  return system_identifier == job.instance.system_identifier ||
         std::find(earlier.begin(), earlier.end(), system_identifier) != earlier.end();
}

// By the key of the run or, without one, as of an older pgbackup's run, by its id; and by the
// cluster, unless somebody has asked for the removal.
void Removal::CheckIsOurs(const Found& found) const {
  if (found.claim && !job_.run_key.empty() && found.claim->run_key != job_.run_key)
    ThrowAnotherRuns(*storage_, job_, found.claim->id, found.claim->instance);
  if (found.manifest.empty()) return;
  if (job_.reason == RemoveReason::kDeleted && job_.run_key.empty()) return;
  const Manifest manifest =
      CheckedManifest(found.manifest, *storage_, job_.file_name, std::nullopt, {});
  Instance writer = manifest.cluster.instance;
  writer.system_identifier = manifest.cluster.system_identifier;
  const bool has_keys = !job_.run_key.empty() && !manifest.run_key.empty();
  bool is_ours = has_keys ? manifest.run_key == job_.run_key : manifest.id == job_.id;
  if (!has_keys || job_.reason != RemoveReason::kDeleted)
    is_ours = is_ours && IsOfCluster(manifest.cluster.system_identifier, job_);
  if (!is_ours) ThrowAnotherRuns(*storage_, job_, manifest.id, writer);
}

// Who has written what is there. Whoever deletes by hand may mean a copy of this server.
Instance Removal::WriterOf(const Found& found) const {
  if (!found.claim || found.claim->instance.token.empty()) return job_.instance;
  Instance writer = found.claim->instance;
  if (job_.reason == RemoveReason::kDeleted) writer.place.clear();
  return writer;
}

RunOutcome Removal::Run() {
  context_.progress.SetPhase("removing");
  const Found found = Look();
  CheckIsOurs(found);
  RunOutcome outcome;
  // A run that was thought to be unfinished, because its server stopped or was restored to a moment
  // before its end, and is complete.
  if (job_.reason == RemoveReason::kUnfinished && !found.manifest.empty()) {
    const Manifest manifest =
        CheckedManifest(found.manifest, *storage_, job_.file_name, std::nullopt, {});
    boost::json::object adopted = BackupFields(manifest, found.manifest);
    adopted["finished_at"] = JsonText(std::string_view(manifest.finished_at));
    outcome.fields["adopted"] = std::move(adopted);
    return outcome;
  }
  // A run that has written nothing has left nothing, wherever that is not.
  if (job_.reason == RemoveReason::kUnfinished && !found.claim &&
      IsEmpty(*storage_, job_.file_name))
    return outcome;
  RequireLease(*storage_, WriterOf(found), job_.instance);
  if (!found.claim && found.manifest.empty() && storage_->Head(job_.file_name))
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}/{}\" is not a folder", storage_->url(), job_.file_name),
                "A backup was there, and something else is now.",
                "Find out what it is. When it is gone, the removal is tried again.");
  const SweepReport report = SweepFolder(*storage_, job_.file_name);
  outcome.fields["objects"] = report.objects;
  outcome.fields["unfinished_uploads"] = report.unfinished_uploads;
  return outcome;
}

}  // namespace

RunOutcome RunRemove(const RemoveJob& job, const RunContext& context) {
  try {
    return Removal(job, context).Run();
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/false);
  }
}

}  // namespace pgbackup
