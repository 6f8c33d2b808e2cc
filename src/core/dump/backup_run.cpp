#include "core/dump/backup_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>

#include "core/age/key_files.h"
#include "core/base/deadline.h"
#include "core/base/first_failure.h"
#include "core/base/json.h"
#include "core/base/lanes.h"
#include "core/base/timestamp.h"
#include "core/blocking/blocking_monitor.h"
#include "core/blocking/run_sessions.h"
#include "core/copies/tee_storage.h"
#include "core/dump/backup_copies.h"
#include "core/dump/copy_lane.h"
#include "core/dump/dump_lane.h"
#include "core/dump/large_row.h"
#include "core/dump/lock_budget.h"
#include "core/dump/planned_tables.h"
#include "core/dump/read_part_needs.h"
#include "core/dump/read_requirements.h"
#include "core/dump/read_session.h"
#include "core/dump/read_user_code.h"
#include "core/dump/restore_risks.h"
#include "core/dump/server_encoding.h"
#include "core/dump/snapshot_coordinator.h"
#include "core/dump/table_names.h"
#include "core/hooks/backup_hooks.h"
#include "core/job/events.h"
#include "core/manifest/backup_fields.h"
#include "core/manifest/encrypted_contents.h"
#include "core/manifest/manifest_mac.h"
#include "core/manifest/manifest_store.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "core/postgres/connection_watch.h"
#include "core/storage/size_limit.h"

namespace pgbackup {
namespace {

class Backup {
 public:
  Backup(const BackupJob& job, const RunContext& context)
      : job_(job),
        context_(context),
        programs_(MakePrograms(job.server.bin_directory, context.environment)),
        settings_(
            ReadSettings(RunSettings(SettingsFor(job.server, job.database), "backup", job.id))),
        failure_(context.cancellation),
        copies_(job, context) {}

  // Throws what went wrong.
  RunOutcome Run();

  // What the job's folder holds of this run.
  enum class Folder { kUntouched, kOurs, kAnotherRuns, kComplete };
  Folder folder() const noexcept { return folder_; }

  // Of the job's storage, as far as it has been asked anything.
  StorageSigns signs() const { return storage_ ? storage_->Signs() : StorageSigns(); }

  BackupCopies& copies() noexcept { return copies_; }

 private:
  Claim MakeClaim() const;
  bool HasTheNamesForItself() const;
  void ClaimTheFolder();
  void Dump(Storage& storage);
  Error LocksAdvised(const Error& error) const;
  void ReadRestoreFacts();
  void FindRisks();
  void AddRisks(RunOutcome* outcome) const;
  void Prepare();
  void DescribeServer();
  void Measure(DumpPlanInput* input);
  std::vector<DumpObject> Plan();
  std::vector<GeneratedPiece> PlanFingerprints();
  void RunAllLanes(Storage& storage, const std::vector<DumpObject>& plan);
  std::string StoreTheManifest(Storage& storage);
  RunOutcome Outcome(const std::string& manifest) const;
  void AddRemarkOfHooks(RunOutcome* outcome);

  const BackupJob& job_;
  const RunContext& context_;
  const Programs programs_;
  const ConnectionSettings settings_;
  FirstFailure failure_;  // of what happens while locks are held
  std::unique_ptr<Storage> storage_;
  std::shared_ptr<SnapshotCoordinator> coordinator_;
  ProgramVersion pg_dump_;
  std::unique_ptr<EncryptionKeys> keys_;      // null: nothing is encrypted
  std::optional<ManifestKeys> signing_keys_;  // none: the manifest gets no MAC
  Manifest manifest_;
  std::vector<std::string> risks_;  // of its restore
  std::string bound_;               // extensions that know the database by its name, in words
  ArchiveNames archive_names_;
  Folder folder_ = Folder::kUntouched;
  std::string key_in_names_;    // see LaneOutputContext
  std::optional<Lease> lease_;  // none: there is no catalog, or the storage could not be asked
  BackupCopies copies_;
};

RunOutcome Backup::Run() {
  manifest_.started_at = FormatTimestamp(context_.environment.Now());
  keys_ = OpenEncryptionKeys(job_.encryption);
  if (!job_.manifest_key.file.empty()) signing_keys_.emplace(job_.manifest_key.file);
  if (keys_) manifest_.encryption = {std::string(keys_->scheme()), keys_->recipients()};
  storage_ = context_.open_storage(context_.cancellation);
  ClaimTheFolder();
  RunPreHooks(job_, context_);
  Dump(*storage_);
  const std::string text = StoreTheManifest(*storage_);
  RunOutcome outcome = Outcome(text);
  AddRemarkOfHooks(&outcome);
  if (copies_.targets().empty()) {
    outcome.held = std::move(coordinator_);
    return outcome;
  }
  context_.announce_stored(outcome.fields);
  // Copies may take long, and are made later when the server stops.
  coordinator_.reset();
  context_.progress.SetPhase("finishing copies", /*has_own_limit=*/true);
  outcome.fields["copies"] = copies_.Complete(text);
  return outcome;
}

Claim Backup::MakeClaim() const {
  Claim claim;
  claim.run_key = job_.run_key;
  claim.instance = job_.cluster.instance;
  claim.instance.system_identifier = job_.cluster.system_identifier;
  claim.id = job_.id;
  claim.database = job_.database;
  claim.cluster = job_.cluster.name;
  claim.claimed_at = manifest_.started_at;
  return claim;
}

// Whether no other run can write objects of the same names, even one that believes that the folder
// is its own.
bool Backup::HasTheNamesForItself() const {
  return job_.name_is_unique ||
         (storage_->CreatesAtomically() &&
          std::all_of(job_.copies.begin(), job_.copies.end(),
                      [](const StorageSettings& copy) { return copy.url.starts_with("file:"); }));
}

void Backup::ClaimTheFolder() {
  const Claim claim = MakeClaim();
  ClaimFolder(*storage_, job_.file_name, claim);
  folder_ = Folder::kOurs;
  if (!HasTheNamesForItself()) key_in_names_ = job_.run_key;
  lease_ = RenewLeaseQuietly(*storage_, claim, context_.log);
}

// The backup is good whatever they do.
void Backup::AddRemarkOfHooks(RunOutcome* outcome) {
  folder_ = Folder::kComplete;
  const HookResult result{"completed", "", manifest_.StoredSize()};
  const std::string remark = RunPostHooks(job_, result, context_, &context_.cancellation);
  if (remark.empty()) return;
  boost::json::value& message = outcome->fields["message"];
  const std::string before = message.is_string() ? std::string(message.as_string()) + "; " : "";
  message = JsonText(std::string_view(before + remark));
}

// From the first lock to the last.
void Backup::Dump(Storage& storage) {
  const BlockingMonitor monitor(
      {InDatabase(settings_, job_.server.maintenance_database), settings_},
      {std::chrono::milliseconds(job_.options.lock_guard_timeout_ms),
       std::chrono::milliseconds(job_.options.lock_wait_timeout_ms)},
      context_.environment, context_.progress,
      [&](const Error& error) { failure_.Record(std::make_exception_ptr(error)); }, context_.log);
  try {
    Prepare();
    const std::vector<DumpObject> plan = Plan();
    copies_.Begin(MakeClaim());
    SizeLimit limited(storage, job_.max_size);
    TeeStorage all(limited, copies_.targets());
    RunAllLanes(all, plan);
  } catch (...) {
    failure_.Record(std::current_exception());
  }
  try {
    failure_.Rethrow();
  } catch (const Error& error) {
    if (!coordinator_) throw monitor.ExplainedOf(error, job_.database);
    if (MayBeOutOfLocks(error)) throw LocksAdvised(error);
    if (const std::optional<Error> large = LargeRowError(error)) throw Error(*large);
    // The coordinator still holds its locks, so it can be seen who waits for them.
    throw monitor.Explained(error);
  }
  // A server that waits for its clients before it stops ("smart") waits for the rest of the backup.
  if (!coordinator_->Release()) coordinator_.reset();
}

// A lane may have had no room for its locks; with advice when it says so or there cannot be enough.
Error Backup::LocksAdvised(const Error& error) const {
  try {
    const Deadline deadline(kCleanUpTime);
    PostgresConnection connection(settings_, deadline.cancellation());
    LockDemand demand = coordinator_->demand();
    demand.dumps = DumpsThatLockAll(manifest_.format, manifest_.content);
    const LockTable table = ReadLockTable(connection);
    if (!IsOutOfLocks(error) && LockAdvice(demand, table).empty()) return error;
    return WithLockAdvice(error, demand, table);
  } catch (const std::exception&) {
    return error;
  }
}

RunOutcome Backup::Outcome(const std::string& manifest) const {
  RunOutcome outcome;
  outcome.fields = SignFields(signs());
  for (auto& field : BackupFields(manifest_, manifest)) outcome.fields[field.key()] = field.value();
  outcome.fields["message"] = nullptr;
  outcome.fields["detail"] = nullptr;
  if (!bound_.empty())
    outcome.fields["detail"] = JsonText(std::string_view(fmt::format(
        "A restore under another name leaves out {}, which can be created only in the database "
        "\"{}\".",
        bound_, job_.database)));
  AddRisks(&outcome);
  if (lease_) outcome.fields["lease"] = LeaseToJson(*lease_, job_.cluster.instance);
  return outcome;
}

// What a restore of the dump will have to know, read beside it in a session of its own.
void Backup::ReadRestoreFacts() {
  PostgresConnection connection(settings_, context_.cancellation);
  PrepareReadSession(connection);
  BeginWithSnapshot(connection, coordinator_->snapshot());
  manifest_.requirements = ReadRequirements(connection, manifest_.properties);
  manifest_.user_code = ReadUserCode(connection);
  manifest_.part_needs = ReadPartNeeds(connection);
  FindRisks();
}

void Backup::FindRisks() {
  try {
    risks_ = FindRestoreRisks(settings_, context_.cancellation);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    context_.log(fmt::format("did not look for what may not be restored: {}", error.message()));
  }
  bound_ = BoundExtensionsInWords(*manifest_.requirements, job_.options.bound_extensions);
  if (!bound_.empty() && manifest_.format == DumpFormat::kPlain)
    risks_.insert(risks_.begin(),
                  fmt::format("{} can be created only when the database has its name, which a "
                              "script cannot wait for",
                              bound_));
}

// A backup that is complete, with a warning.
void Backup::AddRisks(RunOutcome* outcome) const {
  if (risks_.empty()) return;
  outcome->fields["sqlstate"] = "01000";
  outcome->fields["message"] = JsonText(std::string_view(
      fmt::format("not all of the database may come back in a restore: {}", risks_.front())));
  outcome->fields["detail"] =
      JsonText(std::string_view(fmt::format("{}", fmt::join(risks_, "\n"))));
  outcome->fields["hint"] =
      "Write names with their schemas, or give the function a search_path (ALTER FUNCTION … SET); "
      "REINDEX or drop invalid indexes; choose another format than plain. pgbackup.verify(id, "
      "'restore') tells whether a backup can "
      "be restored.";
}

void Backup::Prepare() {
  pg_dump_ = AskProgramVersion(programs_, "pg_dump", context_.cancellation);
  context_.progress.SetPhase("locking");
  coordinator_ = std::make_shared<SnapshotCoordinator>(
      settings_, job_.options.selection, job_.options.lock_wait_timeout_ms, context_.cancellation);
  CheckProgramVersion("pg_dump", pg_dump_, coordinator_->connection().server_major(), "the server");
  DescribeServer();
}

void Backup::DescribeServer() {
  PostgresConnection& connection = coordinator_->connection();
  manifest_.id = job_.id;
  manifest_.run_key = job_.run_key;
  manifest_.file_name = job_.file_name;
  manifest_.database = job_.database;
  manifest_.label = job_.label;
  manifest_.schedule = job_.schedule;
  manifest_.backup_type = job_.backup_type;
  manifest_.created_by = job_.created_by;
  manifest_.created_at = job_.created_at;
  manifest_.content = job_.options.content;
  manifest_.compression = job_.options.compression_text;
  manifest_.selection = job_.options.selection;
  manifest_.cluster = job_.cluster;
  manifest_.cluster.server_version = connection.ReportedSetting("server_version");
  manifest_.cluster.server_version_num = connection.server_version();
  manifest_.pg_dump_version = pg_dump_.text;
  manifest_.pgbackup_version = PGBACKUP_VERSION;
  manifest_.properties = ReadDatabaseProperties(connection);
  manifest_.database_size = static_cast<uint64_t>(
      connection.Query("SELECT pg_database_size(current_database())").Integer(0, 0));
}

// What is dumped of the database, and how big it is.
void Backup::Measure(DumpPlanInput* input) {
  PostgresConnection& connection = coordinator_->connection();
  input->tables = coordinator_->tables();
  MeasureTables(connection, &input->tables);
  // Large objects belong to no schema and no table.
  const Selection& selection = coordinator_->selection();
  if (selection.schemas.empty() && selection.tables.empty())
    input->large_object_bytes = MeasureLargeObjects(connection);
  uint64_t bytes = input->large_object_bytes;
  for (const DumpTable& table : input->tables) bytes += table.bytes;
  if (job_.options.content != DumpContent::kSchema && selection.exclude_table_data.empty())
    context_.progress.total_bytes = bytes;
  input->format = ChooseFormat(job_.options.format, bytes, input->tables.size(),
                               job_.options.parallel_threshold);
}

std::vector<DumpObject> Backup::Plan() {
  PostgresConnection& connection = coordinator_->connection();
  DumpPlanInput input;
  input.content = job_.options.content;
  Measure(&input);
  input.encoding = manifest_.properties.encoding;
  input.selection = InServerEncoding(connection, coordinator_->selection(), input.encoding);
  input.include_globals = job_.options.include_globals;
  input.snapshot = coordinator_->snapshot();
  input.lock_wait_timeout_ms = job_.options.lock_wait_timeout_ms;
  input.pg_dump_major = pg_dump_.major;
  input.jobs = job_.options.jobs;
  input.split_bytes = job_.options.split_bytes;
  input.columns_of = [&](const DumpTable& table) { return CopyColumns(connection, table); };
  manifest_.format = input.format;
  archive_names_ = MakeArchiveNames(input.tables);
  return MakeDumpPlan(input);
}

// What is read besides the dump: rows with their generated columns.
std::vector<GeneratedPiece> Backup::PlanFingerprints() {
  if (manifest_.format == DumpFormat::kPlain || manifest_.content == DumpContent::kSchema)
    return {};
  constexpr uint64_t kPage = 8192;
  const std::vector<QualifiedName>& without = coordinator_->selection().exclude_table_data;
  std::vector<DumpTable> tables = coordinator_->tables();
  std::erase_if(tables, [&](const DumpTable& table) {
    return std::find(without.begin(), without.end(), table.name) != without.end();
  });
  return PlanGenerated(ListGeneratedTables(coordinator_->connection()), tables,
                       job_.options.split_bytes / kPage);
}

// Of an encrypted backup: what manifest.json must not say.
ManifestObject StoreContents(const Manifest& manifest, LaneOutputContext output) {
  DumpObject object;
  object.name = "contents.json";
  object.kind = ObjectKind::kContents;
  output.compression = Compression();
  LaneOutput contents(object, output);
  contents.sink().Write(AsBytes(ContentsText(manifest)));
  return contents.Finish();
}

void Backup::RunAllLanes(Storage& storage, const std::vector<DumpObject>& plan) {
  PlanTables(plan, archive_names_, &context_.progress.tables);
  const std::vector<GeneratedPiece> pieces = PlanFingerprints();
  context_.progress.SetPhase("dumping");
  context_.progress.BeginData(context_.environment.Now());
  const LaneOutputContext output{storage,           job_.file_name,       job_.options.compression,
                                 context_.progress, context_.environment, keys_.get(),
                                 key_in_names_};
  ConnectionSettings of_programs = settings_;
  AddTimeoutOptions(&of_programs, coordinator_->connection().server_version());
  const DumpLaneContext dump_context{programs_,
                                     ConnectionString(of_programs),
                                     ConnectionString({{"dbname", job_.database}}),
                                     archive_names_,
                                     output,
                                     context_.cancellation};
  const CopyLaneContext copy_context{settings_, coordinator_->snapshot(),
                                     manifest_.properties.encoding, output, context_.cancellation};
  manifest_.objects.resize(plan.size());
  std::vector<std::function<void()>> lanes;
  for (size_t i = 0; i < plan.size(); ++i)
    lanes.emplace_back([&, i] {
      manifest_.objects[i] = plan[i].kind == ObjectKind::kCopy ? RunCopyLane(plan[i], copy_context)
                                                               : RunDumpLane(plan[i], dump_context);
    });
  lanes.insert(lanes.begin() + std::min<ptrdiff_t>(1, std::ssize(lanes)),
               [&] { ReadRestoreFacts(); });
  std::mutex mutex;
  for (const GeneratedPiece& piece : pieces)
    lanes.emplace_back([&] {
      const RowFingerprint rows = ReadGenerated(piece, copy_context);
      const std::lock_guard lock(mutex);
      manifest_.generated[piece.table.name] += rows;
    });

  {
    const ConnectionWatch watch(coordinator_->connection(), [&](const std::string& why) {
      failure_.Record(std::make_exception_ptr(CoordinatorLost(why)));
    });
    RunLanes(lanes, static_cast<size_t>(job_.options.jobs), failure_, context_.cancellation);
  }
  failure_.Rethrow();
  context_.progress.EndData(context_.environment.Now());
  manifest_.fingerprints = CollectFingerprints(manifest_.objects, archive_names_);
  if (keys_) manifest_.objects.push_back(StoreContents(manifest_, output));
}

// Returns the manifest's text. From then on the backup exists.
std::string Backup::StoreTheManifest(Storage& storage) {
  context_.progress.SetPhase("finishing");
  context_.cancellation.ThrowIfCancelled();
  manifest_.finished_at = FormatTimestamp(context_.environment.Now());
  std::string text = boost::json::serialize(ManifestForStorage(manifest_)) + "\n";
  if (signing_keys_) text = signing_keys_->Signed(text);
  try {
    CheckBeforeManifest(storage, job_.file_name, job_.run_key,
                        ObjectSizesOf(manifest_, job_.file_name));
    StoreManifest(storage, job_.file_name, text);
  } catch (const Error& error) {
    // The folder turned out to be another run's: nothing in it may be removed.
    if (error.kind() == ErrorKind::kAlreadyExists) folder_ = Folder::kAnotherRuns;
    throw;
  }
  return text;
}

// What a failed run has left, and where.
struct FailedRun {
  Backup::Folder folder = Backup::Folder::kUntouched;
  std::vector<StorageSettings> copies;
  StorageSigns signs;
};

// Returns whether nothing is left.
bool Remove(const FailedRun& leftovers, const BackupJob& job, const RunContext& context) {
  const Deadline deadline(kCleanUpTime);
  bool all = leftovers.folder != Backup::Folder::kAnotherRuns;
  if (leftovers.folder == Backup::Folder::kOurs)
    all = SweepQuietly([&] { return context.open_storage(deadline.cancellation()); }, job.file_name,
                       job.run_key, context.log);
  for (const StorageSettings& copy : leftovers.copies)
    all &= SweepQuietly([&] { return context.open_at(copy, deadline.cancellation()); },
                        job.file_name, job.run_key, context.log);
  return all;
}

// After a run that did not complete. One that was told to end (`in_a_hurry`) has little time left.
void TellHooks(const BackupJob& job, const RunOutcome& outcome, bool in_a_hurry,
               const RunContext& context) {
  constexpr std::chrono::milliseconds kTimeInAHurry{1000};
  const HookResult result{StateName(outcome.state), outcome.error ? outcome.error->message() : "",
                          std::nullopt};
  const std::string remark = RunPostHooks(
      job, result, context, nullptr,
      in_a_hurry ? std::optional(kTimeInAHurry) : std::optional<std::chrono::milliseconds>());
  if (!remark.empty()) context.log(remark);
}

}  // namespace

RunOutcome RunBackup(const BackupJob& job, const RunContext& context) {
  FailedRun leftovers;
  std::exception_ptr failure;
  try {
    Backup backup(job, context);
    try {
      return backup.Run();
    } catch (...) {
      context.cancellation.Cancel();
      leftovers = {backup.folder(), backup.copies().GiveUp(), backup.signs()};
      throw;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  context.cancellation.Cancel();
  context.progress.SetPhase("cleaning up");
  const bool cleaned = Remove(leftovers, job, context);
  const EndRequest request = context.end_request ? context.end_request() : EndRequest();
  RunOutcome outcome = Ended(OutcomeOf(failure, cleaned), request);
  outcome.fields = SignFields(leftovers.signs);
  const bool in_a_hurry = request.is_made || outcome.state == RunState::kCancelled;
  TellHooks(job, outcome, in_a_hurry, context);
  return outcome;
}

}  // namespace pgbackup
