#include "core/verify/verify_run.h"

#include <sys/wait.h>

#include "core/manifest/encrypted_contents.h"
#include "core/manifest/manifest_store.h"
#include "core/pipeline/count_sink.h"
#include "core/pipeline/fd_sink.h"
#include "core/pipeline/null_sink.h"
#include "core/process/child_process.h"
#include "core/process/tool_error.h"
#include "core/restore/restore_programs.h"
#include "core/restore/restore_run.h"
#include "core/restore/stored_object.h"
#include "core/run/lanes.h"
#include "core/verify/content_check.h"

namespace pgbackup {
namespace {

class Verification {
 public:
  Verification(const VerifyJob& job, const RunContext& context)
      : job_(job),
        context_(context),
        programs_(MakePrograms(job.server.bin_directory, context.environment)) {}

  // Throws what is wrong.
  RunOutcome Run();

 private:
  void ReadAll(Storage& storage);
  RunOutcome RestoreIntoScratch() const;
  void ReadObject(Storage& storage, const ManifestObject& object) const;
  void ParseArchive(Storage& storage, const ManifestObject& object) const;
  std::unique_ptr<Sink> Check(std::unique_ptr<Sink> next, const ManifestObject& object) const {
    if (only_stored_bytes())
      return std::make_unique<CountSink>(
          std::make_unique<CountSink>(std::move(next), &context_.progress.stored_bytes),
          &context_.progress.raw_bytes);
    return ContentChain(ContentCheck(std::move(next), manifest_, object, job_.level), object,
                        context_.progress);
  }

  // Whoever has no key to an encrypted backup can still compare what is stored.
  bool only_stored_bytes() const noexcept {
    return manifest_.encryption && job_.level == VerifyLevel::kChecksum &&
           job_.encryption.identity_file.empty() && job_.encryption.passphrase_file.empty();
  }

  const VerifyJob& job_;
  const RunContext& context_;
  const Programs programs_;
  Manifest manifest_;
};

RunOutcome Verification::Run() {
  const std::unique_ptr<Storage> storage = context_.open_storage(context_.cancellation);
  manifest_ = ReadManifest(*storage, job_.file_name, job_.checksum, job_.manifest_key);
  if (!only_stored_bytes())
    OpenEncryptedBackup(*storage, job_.file_name, job_.encryption, context_.progress, &manifest_);
  RunOutcome outcome;
  outcome.fields["message"] = nullptr;
  if (job_.level == VerifyLevel::kArchive)
    CheckPgRestore(programs_, manifest_, context_.cancellation);
  ReadAll(*storage);
  if (job_.level == VerifyLevel::kRestore) {
    outcome = RestoreIntoScratch();
    if (outcome.state != RunState::kCompleted) return outcome;
  }
  outcome.fields["objects"] = manifest_.objects.size();
  outcome.fields["raw_size"] = manifest_.RawSize();
  outcome.fields["file_size"] = manifest_.StoredSize();
  return outcome;
}

// All objects at the level that was asked for; what a restore will read, it will verify.
void Verification::ReadAll(Storage& storage) {
  const bool is_all = job_.level != VerifyLevel::kRestore;
  context_.progress.SetPhase("verifying");
  if (is_all) {
    context_.progress.total_bytes =
        only_stored_bytes() ? manifest_.StoredSize() : manifest_.RawSize();
    context_.progress.BeginData(context_.environment.Now());
  }
  std::vector<std::function<void()>> lanes;
  for (const ManifestObject& object : manifest_.objects) {
    if (job_.level == VerifyLevel::kRestore && object.kind != ObjectKind::kGlobals) continue;
    lanes.emplace_back([this, &storage, &object] {
      if (job_.level == VerifyLevel::kArchive && object.kind == ObjectKind::kArchive)
        ParseArchive(storage, object);
      else
        ReadObject(storage, object);
    });
  }
  FirstFailure failure(context_.cancellation);
  RunLanes(lanes, static_cast<size_t>(job_.jobs), failure, context_.cancellation);
  failure.Rethrow();
  if (is_all) context_.progress.EndData(context_.environment.Now());
}

RunOutcome Verification::RestoreIntoScratch() const {
  RestoreJob restore;
  static_cast<JobBase&>(restore) = job_;
  restore.target_database = job_.database;
  restore.staging_database = job_.staging_database;
  restore.checksum = job_.checksum;
  restore.options.jobs = job_.jobs;
  restore.options.lock_wait_timeout_ms = job_.lock_wait_timeout_ms;
  restore.options.scratch = true;
  restore.options.statistics = false;  // nobody will query it
  return RunRestore(restore, context_);
}

void Verification::ReadObject(Storage& storage, const ManifestObject& object) const {
  const std::unique_ptr<Sink> chain = Check(std::make_unique<NullSink>(), object);
  ReadStoredObject(storage, job_.file_name, object, *chain);
}

// Lets pg_restore read the whole archive and turn it into SQL that nobody keeps.
void Verification::ParseArchive(Storage& storage, const ManifestObject& object) const {
  ChildSpec spec;
  spec.program = FindProgram(programs_, "pg_restore");
  spec.environment = programs_.environment;
  spec.arguments = {"--file=/dev/null"};
  spec.pipe_input = true;
  ChildProcess child(spec);
  const auto check_end = [&] {
    const ExitStatus status = child.Wait(context_.cancellation);
    if (status.Succeeded()) return;
    const Error error = ToolError("pg_restore", object.name, status, child.ErrorTail());
    if (WIFSIGNALED(status.wait_status)) throw error;
    throw Error(ErrorKind::kCorrupt, error.message(), error.detail());
  };
  const std::unique_ptr<Sink> chain =
      Check(std::make_unique<FdSink>(child.TakeInput(), context_.cancellation, check_end), object);
  try {
    ReadStoredObject(storage, job_.file_name, object, *chain);
  } catch (...) {
    child.Stop();
    chain->Abort();
    throw;
  }
  check_end();
}

}  // namespace

RunOutcome RunVerify(const VerifyJob& job, const RunContext& context) {
  try {
    return Verification(job, context).Run();
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
