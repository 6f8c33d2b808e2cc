#include "core/verify/verify_run.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include "core/base/json.h"
#include "core/base/lanes.h"
#include "core/integrity/content_check.h"
#include "core/integrity/restore_programs.h"
#include "core/manifest/encrypted_contents.h"
#include "core/manifest/manifest_store.h"
#include "core/manifest/stored_object.h"
#include "core/pipeline/count_sink.h"
#include "core/pipeline/fd_sink.h"
#include "core/pipeline/null_sink.h"
#include "core/process/child_process.h"
#include "core/process/tool_error.h"
#include "core/restore/restore_run.h"

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
  void ReadEach(Storage& storage);
  RunOutcome RestoreIntoScratch() const;
  RunOutcome RestoreWhole(Storage& storage);
  RunOutcome RestorePart(Storage& storage);
  void ReadObject(Storage& storage, const ManifestObject& object) const;
  void ParseArchive(Storage& storage, const ManifestObject& object) const;
  std::unique_ptr<Sink> Check(std::unique_ptr<Sink> next, const ManifestObject& object) const {
    if (only_stored_bytes())
      return std::make_unique<CountSink>(
          std::make_unique<CountSink>(std::move(next), &context_.progress.stored_bytes),
          &context_.progress.raw_bytes);
    return ContentChain(ContentCheck(std::move(next), manifest_, object, level_), object,
                        context_.progress);
  }

  // Whoever has no key to an encrypted backup can still compare what is stored.
  bool only_stored_bytes() const noexcept {
    return manifest_.encryption && level_ == VerifyLevel::kChecksum &&
           job_.encryption.identity_file.empty() && job_.encryption.passphrase_file.empty();
  }

  const VerifyJob& job_;
  const RunContext& context_;
  const Programs programs_;
  VerifyLevel level_ = job_.level;  // at which objects are read
  Manifest manifest_;
};

RunOutcome Verification::Run() {
  const std::unique_ptr<Storage> storage = context_.open_storage(context_.cancellation);
  manifest_ = ReadManifest(*storage, job_.file_name, job_.checksum, job_.manifest_key);
  if (!only_stored_bytes())
    OpenEncryptedBackup(*storage, job_.file_name, job_.encryption, context_.progress, &manifest_);
  RunOutcome outcome;
  outcome.fields["message"] = nullptr;
  const bool is_data_only = manifest_.content == DumpContent::kData;
  if (is_data_only && level_ == VerifyLevel::kRestore) {
    level_ = VerifyLevel::kArchive;
    outcome.fields["message"] =
        "the backup holds data only, which cannot be restored alone: its objects were read";
  }
  if (level_ == VerifyLevel::kArchive) CheckPgRestore(programs_, manifest_, context_.cancellation);
  if (level_ != VerifyLevel::kRestore) {
    ReadAll(*storage);
  } else {
    outcome = manifest_.selection.IsEmpty() ? RestoreWhole(*storage) : RestorePart(*storage);
    if (outcome.state != RunState::kCompleted) return outcome;
  }
  outcome.fields["objects"] = manifest_.objects.size();
  outcome.fields["raw_size"] = manifest_.RawSize();
  outcome.fields["file_size"] = manifest_.StoredSize();
  return outcome;
}

void Verification::ReadAll(Storage& storage) {
  context_.progress.total_bytes =
      only_stored_bytes() ? manifest_.StoredSize() : manifest_.RawSize();
  context_.progress.BeginData(context_.environment.Now());
  ReadEach(storage);
  context_.progress.EndData(context_.environment.Now());
}

// What a restore will read, it will verify.
RunOutcome Verification::RestoreWhole(Storage& storage) {
  ReadEach(storage);
  return RestoreIntoScratch();
}

// A part may need what is not in it. That is no fault of the backup, whose objects have been read.
RunOutcome Verification::RestorePart(Storage& storage) {
  level_ = VerifyLevel::kArchive;
  CheckPgRestore(programs_, manifest_, context_.cancellation);
  ReadEach(storage);
  context_.progress.raw_bytes = 0;  // the restore reads all of it once more
  context_.progress.stored_bytes = 0;
  RunOutcome outcome = RestoreIntoScratch();
  const bool lacks_something = outcome.state == RunState::kFailed && outcome.cleaned &&
                               outcome.error && outcome.error->kind() == ErrorKind::kTool;
  if (!lacks_something) return outcome;
  const std::string message = fmt::format(
      "the backup holds a part of its database, which could not be restored alone, so its objects "
      "were read: {}",
      outcome.error->message());
  outcome = RunOutcome();
  outcome.fields["message"] = JsonText(std::string_view(message));
  return outcome;
}

// The objects at `level_`; of those that a restore reads, none at kRestore.
void Verification::ReadEach(Storage& storage) {
  context_.progress.SetPhase("verifying");
  std::vector<std::function<void()>> lanes;
  for (const ManifestObject& object : manifest_.objects) {
    if (level_ == VerifyLevel::kRestore && object.kind != ObjectKind::kGlobals) continue;
    lanes.emplace_back([this, &storage, &object] {
      if (level_ == VerifyLevel::kArchive && object.kind == ObjectKind::kArchive)
        ParseArchive(storage, object);
      else
        ReadObject(storage, object);
    });
  }
  FirstFailure failure(context_.cancellation);
  RunLanes(lanes, static_cast<size_t>(job_.jobs), failure, context_.cancellation);
  failure.Rethrow();
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
  restore.options.bound_extensions = job_.bound_extensions;
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
