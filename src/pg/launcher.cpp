#include "pg/launcher.h"

#include "pg/abandoned_agents.h"
#include "pg/catalog.h"
#include "pg/launcher_end.h"
#include "pg/launcher_trouble.h"
#include "pg/retention.h"
#include "pg/run_log.h"
#include "pg/running_agents.h"
#include "pg/schedule_clock.h"
#include "pg/schedules.h"
#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/totals.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr int kRestartSeconds = 5;
constexpr long kHomeDatabaseCheckMs = 10000;
constexpr int64 kNextAttempt = INT64CONST(30) * USECS_PER_SEC;
constexpr int kRetryMs = 1000;  // after a row that somebody holds locked
constexpr int kRecountRetryMs = 60000;

MemoryContext round_context;  // emptied every round of the loop
bool recovered = false;       // interrupted runs of an earlier life have been dealt with
bool look_around = true;      // the tables may hold something to do
int64 looked_at = 0;          // SteadyMicroseconds at which they were looked at last
TimestampTz retry_at = 0;     // when to look around again after a failure
TimestampTz removal_at = 0;   // when the next removal is due
TimestampTz copy_at = 0;      // when the next copy is due
TimestampTz marks_at = 0;     // when the next marks are due
TimestampTz backup_at = 0;    // when the next backup is to be tried again
TimestampTz webhook_at = 0;   // when the next notifications by webhook are due,
TimestampTz mail_at = 0;      // and those by mail
TimestampTz recount_at = 0;   // when backups are counted again after a failure
bool recount = false;         // there may be some that are not counted

void OnChildEnd(SIGNAL_ARGS) {
  (void)postgres_signal_arg;
  const int saved = errno;
  SetLatch(MyLatch);
  errno = saved;
}

// Settings a cluster or the home database may have for its users that would hurt here: the state of
// runs must be written even where sessions are read-only or have another role by default, and must
// wait neither for a lock nor for a standby.
void PrepareSession() {
  static const struct {
    const char* name;
    const char* value;
  } kSession[] = {
    {"role", "none"},
    {"search_path", "pg_catalog, pg_temp"},
    {"standard_conforming_strings", "on"},
    {"lock_timeout", "5s"},
    {"statement_timeout", "0"},
    {"jit", "off"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
#if PG_VERSION_NUM >= 170000
    {"transaction_timeout", "0"},
#endif
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"synchronous_commit", "local"},
    {"application_name", "pgbackup launcher"}
  };
  for (const auto& setting : kSession)
    SetConfigOption(setting.name, setting.value, PGC_SUSET, PGC_S_OVERRIDE);
}

// Waits until the home database exists, without a word: the launcher before this one has said that
// it does not. Where it does exist, something else is wrong, such as that it accepts no
// connections: the next attempt comes later. Then ends the process, because one that has no
// database cannot take one up.
[[noreturn]] void AwaitHomeDatabase() {
  BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
  const int64 begin = SteadyMicroseconds();
  bool was_missing = false;
  for (;;) {
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    StartTransactionCommand();
    const bool exists = OidIsValid(get_database_oid(settings.home_database, true));
    CommitTransactionCommand();
    was_missing = was_missing || !exists;
    if (exists && (was_missing || SteadyMicroseconds() - begin >= kNextAttempt)) {
      NoteConnecting(false);
      proc_exit(1);
    }
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kHomeDatabaseCheckMs,
              PG_WAIT_EXTENSION);
  }
}

void OnExit(int /*code*/, Datum /*arg*/) {
  // Closing their stdin is enough: agents end themselves, and the server need not wait for them.
  StopAllAgents(StopReason::kExtensionDropped);
}

// What a transaction of the launcher brings out.
struct Found {
  bool extension;
  ReadyJob job;
  JobKind kind;
  TimestampTz now;
  Candidate candidate;  // the row that `job` is made of
  RowError error;       // why it could not be
};

void LookForExtension(void* arg) {
  static_cast<Found*>(arg)->extension = ExtensionExists();
}

void Recover(void* /*arg*/) {
  NoteSystem();
  FailInterruptedRuns();
}

void Cancel(void* /*arg*/) {
  TakeCancellations(CancelRun);
}

// One that is due but not taken is held by somebody, who may be deleting or changing it.
void KeepBusyRowAway(const Found& found, TimestampTz* due) {
  if (!found.job.found && *due != 0 && *due <= found.now)
    *due = TimestampTzPlusMilliseconds(found.now, kRetryMs);
}

void Take(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->job = TakeNext(found->kind, found->now, round_context, &found->candidate);
  if (found->kind != JobKind::kBackup) return;
  backup_at = NextRetryTime();
  KeepBusyRowAway(*found, &backup_at);
}

// Fails the row that could not become a job, so that it is in nobody's way.
void FailUnprepared(void* arg) {
  const Found& found = *static_cast<const Found*>(arg);
  const int64 id = found.candidate.run_id;
  Outcome outcome = {};
  outcome.state = RunState::kFailed;
  outcome.message = found.error.is_set ? found.error.message : found.job.error;
  outcome.sqlstate = found.error.is_set ? found.error.sqlstate : "22023";
  if (found.kind == JobKind::kMarks) return FinishMarks(id, nullptr, outcome.message);
  if (found.kind == JobKind::kRemove)
    FailRemoval(id, outcome.message);
  else if (found.kind == JobKind::kCopy)
    RecordCopyOutcome(id, outcome);
  else
    RecordOutcome(found.kind, id, outcome);
  WriteRunLog(LogLevel::kFailure, {found.kind, id, NameStr(found.candidate.database)},
              StateName(RunState::kFailed), outcome.message);
}

void TakeRemoval(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->job = NextRemoval(found->now, round_context, &found->candidate);
  removal_at = NextRemovalTime();
}

void TakeCopyJob(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->job = TakeCopy(found->now, round_context, &found->candidate);
  copy_at = NextCopyTime();
  KeepBusyRowAway(*found, &copy_at);
}

void TakeMarks(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->job = NextMarks(found->now, round_context, &found->candidate);
  marks_at = NextMarksTime();
  KeepBusyRowAway(*found, &marks_at);
}

void TakeNotices(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->job = NextNotices(found->kind, found->now, round_context,
                           found->kind == JobKind::kMail ? &mail_at : &webhook_at);
}

void Retain(void* arg) {
  Found* found = static_cast<Found*>(arg);
  found->extension = ExtensionExists();
  if (found->extension) RunSlice(found->now);
}

void CleanUp(void* /*arg*/) {
  if (ExtensionExists()) RemoveReplacedDatabases();
}

void Recount(void* /*arg*/) {
  recount = RecountChanged();
}

void Read(void* arg) {
  const TimestampTz now = static_cast<Found*>(arg)->now;
  ReadSchedules(now);
  NoteRetentionRules(now);
}

void Settle(void* arg) {
  SettleSlots(static_cast<Found*>(arg)->now);
}

// Runs a step of looking around; a failed one is tried again a little later.
bool Step(void (*work)(void*), Found* found) {
  if (RunInTransaction(work, found)) return true;
  retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RetryDelay());
  return false;
}

void ReadConfiguration() {
  ConfigReloadPending = false;
  ProcessConfigFile(PGC_SIGHUP);
  ResetCleanupClock(GetCurrentTimestamp());
  look_around = true;
}

// Whether a reload that is perhaps on its way to this process has come, and its configuration is
// read anew.
bool AwaitReload() {
  constexpr long kLongestMs = 1000;
  const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kLongestMs);
  while (!ConfigReloadPending) {
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
    if (left <= 0) return false;
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
    look_around = true;  // what the latch was set for
  }
  ReadConfiguration();
  return true;
}

// Runs a step that makes a job of a row. False when there is nothing to start now: `*next` says
// whether another row may be tried, since this one has failed.
bool TakeJob(void (*take)(void*), Found* found, bool* next) {
  *next = false;
  const bool took = RunInTransaction(take, found, &found->error);
  if (took && (!found->job.found || found->job.json != nullptr)) return found->job.found;
  if (!took && (!found->error.is_set || found->candidate.run_id == 0)) {
    if (found->error.is_set && NoteTrouble(found->error.message))
      WriteLog(LogLevel::kFailure, found->error.message);
    retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RetryDelay());
    return false;
  }
  if (took && found->job.needs_reload && AwaitReload()) {
    *next = true;
    return false;
  }
  *next = Step(FailUnprepared, found);
  if (*next) AnnounceChange();
  return false;
}

void StartPending(JobKind kind) {
  bool next = true;
  while (next && CountAgents(kind) < settings.max_concurrent && HasFreeSlot()) {
    Found found = {};
    found.kind = kind;
    found.now = GetCurrentTimestamp();
    if (!TakeJob(Take, &found, &next)) continue;
    Launch(kind, found.job.run_id, NameStr(found.job.database), found.job.json);
    next = true;
  }
}

// Removals, copies of what is complete, marks, and notifications have a slot each beside those of
// runs: one at a time.
void StartOther(JobKind kind, void (*take)(void*)) {
  bool next = true;
  while (next && CountAgents(kind) == 0 && HasFreeSlot()) {
    Found found = {};
    found.kind = kind;
    found.now = GetCurrentTimestamp();
    if (TakeJob(take, &found, &next))
      Launch(kind, found.job.run_id, NameStr(found.job.database), found.job.json);
  }
}

void LookAround() {
  look_around = false;
  looked_at = SteadyMicroseconds();
  retry_at = 0;
  Found found = {};
  if (!Step(LookForExtension, &found)) return;
  if (!found.extension) {
    StopAllAgents(StopReason::kExtensionDropped);
    recovered = false;
    removal_at = copy_at = marks_at = backup_at = webhook_at = mail_at = 0;
    recount = false;
    ForgetSchedules();
    ForgetRetention();
    return;
  }
  if (!recovered && CountAgents(JobKind::kBackup) + CountAgents(JobKind::kRestore) +
                            CountAgents(JobKind::kVerify) + CountAgents(JobKind::kCopy) ==
                        0) {
    if (!Step(Recover, &found)) return;
    recovered = true;
    AnnounceChange();
  }
  if (Step(Cancel, &found)) AnnounceChange();
  StartPending(JobKind::kRestore);
  StartPending(JobKind::kBackup);
  StartPending(JobKind::kVerify);
  StartOther(JobKind::kRemove, TakeRemoval);
  StartOther(JobKind::kCopy, TakeCopyJob);
  StartOther(JobKind::kMarks, TakeMarks);
  StartOther(JobKind::kWebhook, TakeNotices);
  StartOther(JobKind::kMail, TakeNotices);
  found.now = GetCurrentTimestamp();
  if (Step(Read, &found)) TakeUpSchedules();
  recount = true;
}

// What it makes expire is removed from storage by jobs of its own.
void ApplyRetention(TimestampTz now) {
  Found found = {};
  found.now = now;
  const bool is_committed = RunInTransaction(Retain, &found);
  if (is_committed && !found.extension)
    ForgetRetention();
  else if (EndSlice(now, is_committed))
    look_around = true;
}

// Readers count for themselves what is not counted, so it can wait after a failure.
void CountBackups(TimestampTz now) {
  recount_at = 0;
  if (!RunInTransaction(Recount, nullptr))
    recount_at = TimestampTzPlusMilliseconds(now, kRecountRetryMs);
}

void CheckSchedules() {
  Found found = {};
  found.now = GetCurrentTimestamp();
  if (TakeCleanupSlot(found.now)) {
    RunInTransaction(CleanUp, nullptr);
    SweepAt(found.now);
    look_around = true;
  }
  if (ClockWasSetBack(found.now)) look_around = true;
  if (retry_at > found.now || look_around) return;  // they are read anew first
  while (NextScheduleTime() != 0 && NextScheduleTime() <= found.now) {
    if (!Step(LookForExtension, &found) || !found.extension) return ForgetSchedules();
    if (!Step(Settle, &found)) return;
    ConfirmSlots();
    look_around = true;
  }
}

// When the next backup is tried again; 0 also while others have its place, which look around when
// they end.
TimestampTz BackupTime() {
  return CountAgents(JobKind::kBackup) < settings.max_concurrent && HasFreeSlot() ? backup_at : 0;
}

TimestampTz NextClock() {
  TimestampTz next = NextScheduleTime();
  KeepEarliest(&next, NextCleanupSlot());
  return next;
}

// Milliseconds until something is due, but no more than it takes to show that the launcher is
// there, and to notice a clock that was set forward.
long TimeToSleep() {
  TimestampTz next = NextAgentTime();
  KeepEarliest(&next, retry_at);
  // After a failure schedules wait, too.
  if (retry_at == 0) KeepEarliest(&next, NextClock());
  KeepEarliest(&next, NextSliceTime());
  if (recount) KeepEarliest(&next, Max(recount_at, 1));
  if (recovered && CountAgents(JobKind::kRemove) == 0) KeepEarliest(&next, removal_at);
  if (recovered && CountAgents(JobKind::kCopy) == 0) KeepEarliest(&next, copy_at);
  if (recovered && CountAgents(JobKind::kMarks) == 0) KeepEarliest(&next, marks_at);
  if (recovered && CountAgents(JobKind::kWebhook) == 0) KeepEarliest(&next, webhook_at);
  if (recovered && CountAgents(JobKind::kMail) == 0) KeepEarliest(&next, mail_at);
  if (recovered) KeepEarliest(&next, BackupTime());
  if (next == 0) return kHeartbeatMs;
  return Min(TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next), kHeartbeatMs);
}

void Sleep() {
  const int pipes = CountAgentPipes();
#if PG_VERSION_NUM >= 170000
  WaitEventSet* events = CreateWaitEventSet(nullptr, pipes + 2);
#else
  WaitEventSet* events = CreateWaitEventSet(round_context, pipes + 2);
#endif
  AddWaitEventToSet(events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
  AddWaitEventToSet(events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
  AddAgentPipes(events);
  WaitEvent occurred[2 * kMaxAgents + 2];
  const int count = WaitEventSetWait(events, TimeToSleep(), occurred, pipes + 2, PG_WAIT_EXTENSION);
  for (int i = 0; i < count; ++i)
    if ((occurred[i].events & WL_LATCH_SET) != 0) look_around = true;
  FreeWaitEventSet(events);
}

void RunForever() {
  for (;;) {
    MemoryContextReset(round_context);
    MemoryContextSwitchTo(round_context);
    ResetLatch(MyLatch);
    // A cancel request means a statement, and none is running: it must not end the launcher.
    QueryCancelPending = false;
    EndIfRequested();
    if (ServeAgents()) look_around = true;
    EndAtOnce(true);
    CHECK_FOR_INTERRUPTS();
    CheckSchedules();
    if (ConfigReloadPending) ReadConfiguration();
    const TimestampTz now = GetCurrentTimestamp();
    const auto is_due = [now](TimestampTz at) { return at != 0 && now >= at; };
    // For rows that nobody has woken it for, and to notice what is wrong with the tables.
    if (retry_at == 0 && SteadyMicroseconds() - looked_at > kHeartbeatMs * 1000) look_around = true;
    if (is_due(NextSliceTime())) ApplyRetention(now);
    if (look_around || is_due(retry_at) || is_due(removal_at) || is_due(copy_at) ||
        is_due(marks_at) || is_due(webhook_at) || is_due(mail_at) || is_due(BackupTime()))
      LookAround();
    if (recount && now >= recount_at) CountBackups(now);
    NoteRound(retry_at == 0 && recount_at == 0 && !RetentionFails() && !HasUnrecordedEnd());
    WriteLeftOutLog();
    PublishRound();
    EndAtOnce(false);
    Sleep();
  }
}

}  // namespace

void RegisterLauncherWorker() {
  BackgroundWorker worker = {};
  strlcpy(worker.bgw_name, "pgbackup launcher", BGW_MAXLEN);
  strlcpy(worker.bgw_type, "pgbackup launcher", BGW_MAXLEN);
  strlcpy(worker.bgw_library_name, "pgbackup", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, "pgbackup_launcher_main", BGW_MAXLEN);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = kRestartSeconds;
  RegisterBackgroundWorker(&worker);
}

}  // namespace pgbackup

void pgbackup_launcher_main(Datum /*argument*/) {
  using namespace pgbackup;
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  ListenForEnd();
  pqsignal(SIGCHLD, OnChildEnd);
  BackgroundWorkerUnblockSignals();
  if (NoteConnecting(true)) AwaitHomeDatabase();
  BackgroundWorkerInitializeConnection(settings.home_database, nullptr, 0);
  NoteConnecting(false);
  PrepareSession();
  ShortenLog();
  round_context = AllocSetContextCreate(TopMemoryContext, "pgbackup round", ALLOCSET_DEFAULT_SIZES);
  RegisterLauncher();
  ClearAllProgress();
  AdoptOrphans();
  before_shmem_exit(OnExit, static_cast<Datum>(0));
  ResetCleanupClock(GetCurrentTimestamp());
  ereport(DEBUG1, (errmsg_internal("pgbackup launcher started")));
  RunForever();
}
