#include "core/restore/restore_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/deadline.h"
#include "core/base/json.h"
#include "core/base/random_suffix.h"
#include "core/blocking/blocking_monitor.h"
#include "core/blocking/run_sessions.h"
#include "core/dump/read_session.h"
#include "core/integrity/restore_programs.h"
#include "core/postgres/event_triggers.h"
#include "core/postgres/session_rights.h"
#include "core/restore/compare/index_check.h"
#include "core/restore/compare/row_check.h"
#include "core/restore/dry_run.h"
#include "core/restore/load/analyze.h"
#include "core/restore/load/copy_lane.h"
#include "core/restore/load/fill_session.h"
#include "core/restore/load/restore_errors.h"
#include "core/restore/load/restore_lane.h"
#include "core/restore/load/schedule_runner.h"
#include "core/restore/load/timescale.h"
#include "core/restore/plan/findings.h"
#include "core/restore/plan/readable_backup.h"
#include "core/restore/plan/restore_contents.h"
#include "core/restore/plan/tables_to_load.h"
#include "core/restore/preflight/preflight.h"
#include "core/restore/target/home_catalog.h"
#include "core/restore/target/into_schema.h"
#include "core/restore/target/swap.h"
#include "core/restore/target/target_database.h"

namespace pgbackup {
namespace {

// What to do about the trouble that restores meet most.
std::string HintFor(const Error& error, const Manifest& manifest, const RestoreOptions& options) {
  const bool role = error.message().find("role \"") != std::string::npos;
  if (role && error.message().find("does not exist") != std::string::npos)
    return "Create the role, for example by running the backup's globals.sql with psql.";
  if (options.ChoosesParts() && error.message().find("does not exist") != std::string::npos)
    return "What was selected needs it, and neither the database nor the backup could tell: the "
           "text of a function, for example, is all that names it. Select it as well, or restore "
           "the whole backup.";
  const bool denied = error.message().find("permission denied") != std::string::npos;
  if (denied && manifest.format == DumpFormat::kPlain)
    return "A backup in format plain grants privileges after it has loaded the rows, too late for "
           "what constraints of the tables' owners call meanwhile. Make the backup in format "
           "custom or parallel, or fetch the script and run it with psql.";
  if (!manifest.selection.IsEmpty())
    return "The backup holds a part of its database; what that part refers to is missing.";
  if (!error.hint().empty()) return error.hint();
  if (manifest.format == DumpFormat::kPlain)
    return "Fetch the script, mend what the detail names and run it with psql.";
  const bool duplicates =
      error.message().find("could not create unique index") != std::string::npos;
  if (duplicates)
    return "The rows in the backup have duplicates: content => 'data' restores them without "
           "indexes, on_error => 'continue' everything but what the server refuses.";
  return "What the server refused is in the detail: on_error => 'continue' restores everything "
         "else into a database of its own, exclude_tables leaves out a table and what depends on "
         "it, exclude_table_data its rows.";
}

// In a database without it nothing is to be made that is not in the backup.
bool MayBringTimescale(const Manifest& manifest) {
  if (!manifest.requirements) return true;  // it is unknown what the database had
  const std::vector<NeededExtension>& extensions = manifest.requirements->extensions;
  return std::any_of(extensions.begin(), extensions.end(), [](const NeededExtension& extension) {
    return extension.name == "timescaledb";
  });
}

class Restore {
 public:
  Restore(const RestoreJob& job, const RunContext& context)
      : job_(job),
        context_(context),
        programs_(MakePrograms(job.server.bin_directory, context.environment)),
        side_name_(
            job.staging_database.empty()
                ? SideDatabaseName(job.target_database, job.id, RandomSuffix(context.environment))
                : job.staging_database),
        contents_(job, context.progress),
        held_up_(context.cancellation) {
    if (job.options.into_schema) beside_.emplace(job, programs_, context);
  }

  // Throws what went wrong.
  RunOutcome Run();

  const std::string& side_name() const noexcept { return side_name_; }
  // Whether there may be a side database of ours.
  bool created() const noexcept { return created_; }
  // Throws the reason when the run was ended because of a session that held it up.
  void RethrowHeldUp() const { held_up_.Rethrow(); }

 private:
  std::unique_ptr<Storage> OpenReadable();
  Preflight Check(Storage& storage);
  void MakeRoles(const RoleScript& roles);
  void CheckTarget(PostgresConnection& connection) const;
  RestoreTarget TargetNow() const;
  void BeginWatch();
  void Analyze();
  void Prove(Storage& storage);
  void NoteBound(PostgresConnection& connection);
  void BringBound(Storage& storage);
  void HandOver(Storage& storage);
  void NoteDenied(const std::vector<size_t>& places);
  void DropEmptyKept() const;
  void CreateSide();
  void PrepareSchemas(const RestorePlan& plan);
  ArchiveNames PlanTables();
  RestoreLaneContext LaneContext(Storage& storage, const ConnectionSettings& settings,
                                 const ArchiveNames& names);
  void RunPlan(const RestorePlan& plan, const RestoreLaneContext& lane_context);
  void Fill(Storage& storage, const RestorePlan& plan);
  void RunTask(const RestoreTask& task, const RestoreLaneContext& lane_context) const;
  RunRecord Record() const;
  std::vector<std::string> Remarks() const;
  std::string Remark() const { return fmt::format("{}", fmt::join(Remarks(), "; ")); }
  ConnectionSettings Settings(const std::string& database) const {
    return RunSettings(SettingsFor(job_.server, database),
                       job_.options.scratch ? "verify" : "restore", job_.id);
  }

  PostgresConnection Connect(const std::string& database) const {
    return PostgresConnection(Settings(database), context_.cancellation);
  }

  PostgresConnection ConnectToSide() const {
    return PostgresConnection(side_settings_, context_.cancellation);
  }

  const RestoreJob& job_;
  const RunContext& context_;
  const Programs programs_;
  const std::string side_name_;
  // Of our own sessions in the side database, but those that load what an archive holds, which may
  // be an extension that relies on its event triggers.
  ConnectionSettings side_settings_;
  Manifest manifest_;
  std::string read_from_copy_;  // its URL, when the backup's own storage had to be passed over
  ContentsReader contents_;
  std::optional<IntoSchema> beside_;  // where it goes, when it takes no name
  RestoreErrors errors_;              // that it has gone past
  std::vector<std::string> remarks_;  // of the preflight and what came after it
  std::unique_ptr<SideDatabase> side_;
  std::string bound_is_left_out_;  // why extensions that insist on a database do not come
  std::string timescale_;          // what ExpectTimescale has made
  bool created_ = false;
  FirstFailure held_up_;
  std::unique_ptr<BlockingMonitor> monitor_;  // until the side database takes its name
};

void Restore::BeginWatch() {
  BlockingMonitor::Limits limits;
  limits.own = std::chrono::milliseconds(job_.options.lock_wait_timeout_ms);
  const std::string& maintenance = job_.server.maintenance_database;
  monitor_ = std::make_unique<BlockingMonitor>(
      std::vector<ConnectionSettings>{Settings(maintenance)}, limits, context_.environment,
      context_.progress,
      [this](const Error& error) { held_up_.Record(std::make_exception_ptr(error)); },
      context_.log);
}

RunOutcome Restore::Run() {
  const std::unique_ptr<Storage> storage = OpenReadable();
  CheckRestorable(manifest_, job_.options);
  BeginWatch();
  const Preflight preflight = Check(*storage);
  if (job_.options.dry_run)
    return DryRun(
        preflight, TargetNow(),
        {job_, manifest_, *storage, programs_, contents_.contents(), Remarks(), context_});
  MakeRoles(preflight.roles);
  CreateSide();
  try {
    Fill(*storage, preflight.plan);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTool && error.kind() != ErrorKind::kDenied) throw;
    throw Error(error.kind(), error.message(), error.detail(),
                HintFor(error, manifest_, job_.options));
  }
  if (beside_)
    beside_->Bring(side_name_);
  else
    HandOver(*storage);
  created_ = false;
  BringBound(*storage);

  RunOutcome outcome;
  const RunRecord record = Record();
  outcome.fields["message"] = record.message.empty() ? boost::json::value(nullptr)
                                                     : JsonText(std::string_view(record.message));
  if (errors_.count() == 0) return outcome;
  outcome.fields["detail"] = JsonText(std::string_view(record.detail));
  outcome.fields["hint"] = JsonText(std::string_view(record.hint));
  outcome.fields["errors"] = errors_.AsJson();
  return outcome;
}

RunRecord Restore::Record() const {
  RunRecord record{job_.id, Remark()};
  if (errors_.count() == 0) return record;
  record.detail = errors_.Listed();
  record.hint = fmt::format(
      "SELECT * FROM pgbackup.restore_errors WHERE restore_id = {} shows all of them.", job_.id);
  record.errors = boost::json::serialize(errors_.AsJson());
  return record;
}

// All that is wrong or missing is told at once.
Preflight Restore::Check(Storage& storage) {
  context_.progress.SetPhase("checking");
  PostgresConnection connection = Connect(job_.server.maintenance_database);
  Findings findings;
  findings.Try([&] { CheckConfinement(connection, job_.server); });
  findings.Try([&] { CheckPgRestore(programs_, manifest_, context_.cancellation); });
  findings.Try([&] { CheckTarget(connection); });
  Preflight preflight =
      RunPreflight({job_, manifest_, storage, connection, contents_, context_.progress}, &findings);
  if (beside_) findings.Try([&] { beside_->CheckSelection(contents_); });
  findings.ThrowIfAny(fmt::format("backup {} cannot be restored", manifest_.id));
  remarks_ = preflight.remarks;
  NoteBound(connection);
  side_settings_ = WithoutLoginTriggers(Settings(side_name_), connection);
  LeaveOut(preflight.refused_settings, &manifest_.properties);
  // The database that is filled beside another one has them only for so long.
  if (!beside_ && !preflight.refused_settings.empty())
    remarks_.push_back(RefusedSettingsInWords(preflight.refused_settings, job_.target_database));
  return preflight;
}

// Why extensions that insist on a database are left out, or that they come last.
void Restore::NoteBound(PostgresConnection& connection) {
  const BoundExtensions& bound = contents_.bound();
  if (bound.names.empty()) return;
  bound_is_left_out_ = job_.options.scratch ? "a verification gives no database its name"
                       : beside_            ? "it belongs into no schema"
                                            : WhyNotIn(connection, bound, job_.target_database);
  remarks_.push_back(bound_is_left_out_.empty() ? ComesLast(bound.names, job_.target_database)
                                                : IsLeftOut(bound.names, bound_is_left_out_));
}

// The database has its name, and stays whatever comes of this.
void Restore::BringBound(Storage& storage) {
  const BoundExtensions& bound = contents_.bound();
  if (bound.names.empty() || !bound_is_left_out_.empty()) return;
  context_.progress.SetPhase("extensions");
  std::erase(remarks_, ComesLast(bound.names, job_.target_database));
  try {
    const ConnectionSettings settings =
        FillSettings(Settings(job_.target_database), job_.options.jobs, context_.cancellation);
    PostgresConnection connection = Connect(job_.target_database);
    const ArchiveNames names = NamesInArchives(connection, manifest_);
    RunPlan(MakeRestorePlan(manifest_, job_.options, contents_.held_back()),
            LaneContext(storage, settings, names));
  } catch (const Error& error) {
    const std::string& detail = error.detail();
    remarks_.push_back(
        IsLeftOut(bound.names, detail.empty() ? error.message() : error.message() + ": " + detail));
    context_.log(remarks_.back());
  }
  if (job_.kept_database.empty()) return;  // there is no catalog
  try {
    const Deadline deadline(kCleanUpTime);
    AmendRecord(job_.server, job_.server.maintenance_database, Record(), deadline.cancellation());
  } catch (const Error& error) {
    context_.log(fmt::format("could not record what came last: {}", error.message()));
  }
}

// They stay, whatever becomes of the restore.
void Restore::MakeRoles(const RoleScript& roles) {
  if (roles.roles.empty()) return;
  context_.progress.SetPhase("creating roles");
  PostgresConnection connection = Connect(job_.server.maintenance_database);
  CreateRoles(connection, roles);
  remarks_.push_back(CreatedRolesInWords(roles));
  context_.log(remarks_.back());
}

std::unique_ptr<Storage> Restore::OpenReadable() {
  ReadableBackup backup = OpenReadableBackup(job_, job_.checksum, job_.copies, context_);
  manifest_ = std::move(backup.manifest);
  read_from_copy_ = std::move(backup.copy);
  return std::move(backup.storage);
}

std::vector<std::string> Restore::Remarks() const {
  std::vector<std::string> remarks;
  if (errors_.count() > 0) remarks.push_back(errors_.InWords());
  if (!read_from_copy_.empty())
    remarks.push_back(fmt::format(
        "restored from the copy in {}: the manifest could not be read in the backup's own storage",
        read_from_copy_));
  remarks.insert(remarks.end(), remarks_.begin(), remarks_.end());
  const std::vector<std::string> left_out = contents_.LeftOutInWords();
  remarks.insert(remarks.end(), left_out.begin(), left_out.end());
  return remarks;
}

// Nothing that exists is touched, unless the restore is to take its place.
void Restore::CheckTarget(PostgresConnection& connection) const {
  if (job_.options.scratch) return;
  if (beside_) return beside_->CheckTarget();
  if (job_.options.replace) CheckCanBeReplaced(connection, job_.target_database);
  if (job_.options.replace || !DatabaseExists(connection, job_.target_database)) return;
  PostgresConnection in_target = Connect(job_.target_database);
  CheckDatabaseIsEmpty(in_target, job_.target_database);
}

RestoreTarget Restore::TargetNow() const {
  PostgresConnection connection = Connect(job_.server.maintenance_database);
  if (!DatabaseExists(connection, job_.target_database)) return RestoreTarget::kNew;
  PostgresConnection in_target = Connect(job_.target_database);
  return FindUserObject(in_target) ? RestoreTarget::kReplaced : RestoreTarget::kEmpty;
}

void Restore::Analyze() {
  context_.progress.SetPhase("analyze");
  const int64_t jobs = job_.options.jobs;
  const std::string refused =
      AnalyzeLocalTables(FillSettings(side_settings_, jobs, context_.cancellation), jobs, context_);
  if (!refused.empty()) remarks_.push_back(refused);
}

// That what was restored is what was dumped.
void Restore::Prove(Storage& storage) {
  context_.progress.SetPhase("comparing rows");
  const ConnectionSettings settings = ReadSettings(side_settings_);
  std::vector<QualifiedName> left_out = contents_.bound().tables;
  for (const auto& [schema, name] : contents_.selected().held_relations)
    left_out.push_back({schema, name});
  const uint64_t tables =
      CheckRows({settings, manifest_, storage, job_.options.jobs, left_out, context_});
  context_.progress.SetPhase("checking indexes");
  // Under the database's own settings, which expressions of indexes may depend on.
  CheckIndexes(side_settings_, RandomSuffix(context_.environment), context_.cancellation);
  remarks_.push_back(manifest_.fingerprints.empty()
                         ? "the backup has no fingerprints that rows could be compared with"
                         : fmt::format("the rows of {} tables are those that were dumped", tables));
}

// Makes the side database the target, if there is to be one.
void Restore::HandOver(Storage& storage) {
  if (job_.options.statistics && job_.options.content != DumpContent::kSchema) Analyze();
  if (job_.options.scratch) {
    Prove(storage);
    context_.progress.SetPhase("dropping");
    DropSideDatabase(job_.server, side_name_, context_.cancellation);
    return;
  }
  // From here on no statement of ours reads what the users of the database could change.
  const std::vector<PropertyStatement> properties =
      ApplyPropertiesSql(manifest_.properties, side_name_);
  if (job_.kept_database.empty()) {  // there is no catalog to record it in
    monitor_.reset();                // as below
    context_.progress.SetPhase("renaming");
    NoteDenied(side_->TakeName(job_.target_database, properties, context_.cancellation));
    return;
  }
  if (!job_.options.replace) {
    PostgresConnection connection = Connect(job_.server.maintenance_database);
    CheckTarget(connection);
  }
  // An empty one gives way as a full one does, so that there is one under this name at any time.
  const RestoreTarget target = TargetNow();
  const std::string& home = job_.server.maintenance_database;
  if (job_.target_database == home) {
    PostgresConnection in_side = ConnectToSide();
    CheckHasExtension(in_side, manifest_.database);
  }
  monitor_.reset();  // what follows has limits of its own
  context_.progress.SetPhase("swapping");
  SwapDatabases(job_.server, home,
                {side_name_, job_.target_database, job_.kept_database, properties}, Record(),
                context_.cancellation);
  if (target == RestoreTarget::kEmpty) DropEmptyKept();
}

// Of what gives the side database its properties, told as it is to be run once that has its name.
void Restore::NoteDenied(const std::vector<size_t>& places) {
  if (places.empty()) return;
  const std::vector<PropertyStatement> all =
      ApplyPropertiesSql(manifest_.properties, job_.target_database);
  std::vector<std::string> statements;
  for (const size_t place : places) statements.push_back(all[place].sql);
  remarks_.push_back(
      fmt::format("left out for lack of the right: {}", fmt::join(statements, "; ")));
}

// The restore is complete: what does not work here is left to pgbackup.cleanup().
void Restore::DropEmptyKept() const {
  try {
    const Deadline deadline(kCleanUpTime);
    DropKeptIfEmpty(job_.server, job_.server.maintenance_database, job_.kept_database, job_.id,
                    deadline.cancellation());
  } catch (const std::exception& error) {
    context_.log(fmt::format("could not drop the empty database \"{}\": {}", job_.kept_database,
                             error.what()));
  }
}

void Restore::CreateSide() {
  context_.progress.SetPhase("creating");
  created_ = true;
  try {
    DatabaseProperties properties = manifest_.properties;
    if (job_.options.no_tablespaces) properties.tablespace = kDefaultTablespace;
    side_ =
        std::make_unique<SideDatabase>(job_.server, side_name_, properties, context_.cancellation);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kAlreadyExists) created_ = false;
    throw;
  }
}

void Restore::PrepareSchemas(const RestorePlan& plan) {
  PostgresConnection connection = ConnectToSide();
  if (plan.drop_public_schema) connection.Execute("DROP SCHEMA public");
  for (const std::string& schema : plan.schemas_to_create)
    connection.Execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", QuoteIdentifier(schema)));
  if (MayBringTimescale(manifest_))
    timescale_ = ExpectTimescale(connection, RandomSuffix(context_.environment));
}

ArchiveNames Restore::PlanTables() {
  PostgresConnection connection = ConnectToSide();
  ArchiveNames names = NamesInArchives(connection, manifest_);
  const bool is_part = contents_.contents().wanted.has_value();
  PlanTablesToLoad(manifest_, job_.options.content, is_part ? &contents_.selected() : nullptr,
                   names, &context_.progress.tables);
  return names;
}

RestoreLaneContext Restore::LaneContext(Storage& storage, const ConnectionSettings& settings,
                                        const ArchiveNames& names) {
  return {programs_,
          settings,
          storage,
          job_.file_name,
          manifest_,
          names,
          context_.progress,
          context_.cancellation,
          job_.options.on_error == OnError::kContinue ? &errors_ : nullptr,
          contents_.contents().wanted ? &contents_.selected() : nullptr};
}

void Restore::RunPlan(const RestorePlan& plan, const RestoreLaneContext& lane_context) {
  RestoreSchedule schedule(ScheduleOf(plan));
  FirstFailure failure(context_.cancellation);
  RunSchedule(
      schedule, static_cast<size_t>(job_.options.jobs),
      [&](size_t task) { RunTask(plan.tasks[task], lane_context); },
      [&](size_t first_open) { context_.progress.SetPhase(plan.tasks[first_open].phase); }, failure,
      context_.cancellation);
  failure.Rethrow();
}

void Restore::Fill(Storage& storage, const RestorePlan& plan) {
  PrepareSchemas(plan);
  const ArchiveNames names = PlanTables();
  const ConnectionSettings settings =
      FillSettings(Settings(side_name_), job_.options.jobs, context_.cancellation);
  context_.progress.total_bytes = BytesToRead(manifest_, plan);
  context_.progress.BeginData(context_.environment.Now());
  RunPlan(plan, LaneContext(storage, settings, names));
  context_.progress.tables.Finish();
  context_.progress.EndData(context_.environment.Now());
  PostgresConnection connection = ConnectToSide();
  FinishTimescale(connection, timescale_);
}

void Restore::RunTask(const RestoreTask& task, const RestoreLaneContext& lane_context) const {
  if (task.program.empty())
    RunCopyLane(manifest_.objects[task.object], lane_context);
  else
    RunRestoreLane(task, task.from_memory ? contents_.InMemory(task.object) : nullptr,
                   lane_context);
}

bool DropSide(const RestoreJob& job, const std::string& name, const RunContext& context) {
  try {
    const Deadline deadline(kCleanUpTime);
    DropSideDatabase(job.server, name, deadline.cancellation());
    return true;
  } catch (const std::exception& error) {
    context.log(
        fmt::format("could not drop the unfinished database \"{}\": {}", name, error.what()));
    return false;
  }
}

}  // namespace

RunOutcome RunRestore(const RestoreJob& job, const RunContext& context) {
  bool drop = false;
  std::string side_name;
  std::exception_ptr failure;
  try {
    Restore restore(job, context);
    try {
      return restore.Run();
    } catch (...) {
      drop = restore.created();
      side_name = restore.side_name();
      restore.RethrowHeldUp();
      throw;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  context.cancellation.Cancel();
  context.progress.SetPhase("cleaning up");
  return OutcomeOf(failure, !drop || DropSide(job, side_name, context));
}

}  // namespace pgbackup
