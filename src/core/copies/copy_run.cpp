#include "core/copies/copy_run.h"

#include <fmt/format.h>

#include "core/base/deadline.h"
#include "core/base/sha256.h"
#include "core/base/timestamp.h"
#include "core/manifest/manifest_store.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "core/pipeline/count_sink.h"
#include "core/pipeline/verify_sink.h"

namespace pgbackup {
namespace {

class CopyRun {
 public:
  CopyRun(const CopyJob& job, const RunContext& context) : job_(job), context_(context) {}

  // Throws what went wrong.
  RunOutcome Run();

  // Whether the target's folder holds what this run has put there, and that alone.
  bool has_touched_target() const noexcept { return has_touched_target_; }
  const std::string& run_key() const noexcept { return claim_.run_key; }

 private:
  Claim MakeClaim(const Manifest& manifest, const std::string& text) const;
  void RemoveEarlierAttempt(Storage& target) const;
  bool IsThereAlready(Storage& target, const std::string& manifest) const;
  void StoreTheManifest(Storage& target, const std::string& text);
  void CopySegment(Storage& source, Storage& target, const Segment& segment) const;

  const CopyJob& job_;
  const RunContext& context_;
  Claim claim_;
  bool has_touched_target_ = false;
};

// The folder is the backup's wherever it is copied to: the key is that of its run or, where that is
// not known, made of the manifest, so that a later attempt knows the folder again.
Claim CopyRun::MakeClaim(const Manifest& manifest, const std::string& text) const {
  Claim claim;
  claim.run_key =
      manifest.run_key.empty() ? ToHex(Sha256::Of(text)).substr(0, 32) : manifest.run_key;
  claim.instance = job_.instance;
  claim.id = manifest.id;
  claim.database = manifest.database;
  claim.cluster = manifest.cluster.name;
  claim.claimed_at = FormatTimestamp(context_.environment.Now());
  return claim;
}

// An object that is written again takes the place of what was left; others, as of another size of
// parts, would stay.
void CopyRun::RemoveEarlierAttempt(Storage& target) const {
  SweepFolder(target, job_.file_name);
  ClaimFolder(target, job_.file_name, claim_);
}

RunOutcome CopyRun::Run() {
  const std::unique_ptr<Storage> source = context_.open_at(job_.source, context_.cancellation);
  const std::unique_ptr<Storage> target = context_.open_storage(context_.cancellation);
  const std::string text = ReadManifestText(*source, job_.file_name);
  const Manifest manifest =
      CheckedManifest(text, *source, job_.file_name, job_.checksum, job_.manifest_key);
  if (!IsThereAlready(*target, text)) {
    claim_ = MakeClaim(manifest, text);
    const ClaimOutcome claimed = ClaimFolder(*target, job_.file_name, claim_);
    has_touched_target_ = true;
    RenewLeaseQuietly(*target, claim_, context_.log);
    if (claimed == ClaimOutcome::kWasOurs) RemoveEarlierAttempt(*target);
    context_.progress.total_bytes = manifest.StoredSize();
    context_.progress.SetPhase("copying");
    context_.progress.BeginData(context_.environment.Now());
    for (const ManifestObject& object : manifest.objects)
      for (const Segment& segment : object.segments) CopySegment(*source, *target, segment);
    context_.progress.EndData(context_.environment.Now());
    context_.cancellation.ThrowIfCancelled();
    CheckBeforeManifest(*target, job_.file_name, claim_.run_key,
                        ObjectSizesOf(manifest, job_.file_name));
    StoreTheManifest(*target, text);
  }
  RunOutcome outcome;
  outcome.fields["file_size"] = manifest.StoredSize() + text.size();
  return outcome;
}

bool CopyRun::IsThereAlready(Storage& target, const std::string& manifest) const {
  if (!target.Head(ManifestObjectName(job_.file_name))) return false;
  if (ReadManifestText(target, job_.file_name) == manifest) return true;
  ThrowBackupExists(target, job_.file_name);
}

void CopyRun::CopySegment(Storage& source, Storage& target, const Segment& segment) const {
  const std::string name = fmt::format("{}/{}", job_.file_name, segment.name);
  if (segment.size > target.MaxObjectSize())
    throw Error(ErrorKind::kInvalid,
                fmt::format("object \"{}\" is too large for {}", name, target.url()),
                fmt::format("It has {} bytes; with the present size of parts an object there can "
                            "have {}.",
                            segment.size, target.MaxObjectSize()),
                "Raise pgbackup.s3_part_size.");
  CountSink counted(std::make_unique<CountSink>(target.Put(name), &context_.progress.stored_bytes),
                    &context_.progress.raw_bytes);
  VerifySink verified(counted, name, segment.size, segment.sha256);
  source.Get(name, verified);
  verified.Finish();
  counted.Finish();
}

void CopyRun::StoreTheManifest(Storage& target, const std::string& text) {
  try {
    StoreManifest(target, job_.file_name, text);
  } catch (const Error& error) {
    // The folder turned out to be another run's: nothing in it may be removed.
    if (error.kind() == ErrorKind::kAlreadyExists) has_touched_target_ = false;
    throw;
  }
}

bool RemoveLeftovers(const CopyJob& job, const std::string& run_key, const RunContext& context) {
  const Deadline deadline(kCleanUpTime);
  return SweepQuietly([&] { return context.open_storage(deadline.cancellation()); }, job.file_name,
                      run_key, context.log);
}

}  // namespace

RunOutcome RunCopy(const CopyJob& job, const RunContext& context) {
  CopyRun copy(job, context);
  try {
    return copy.Run();
  } catch (...) {
    const std::exception_ptr failure = std::current_exception();
    context.progress.SetPhase("cleaning up");
    return OutcomeOf(failure,
                     !copy.has_touched_target() || RemoveLeftovers(job, copy.run_key(), context));
  }
}

}  // namespace pgbackup
