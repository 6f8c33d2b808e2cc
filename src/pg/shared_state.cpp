#include <ctime>

#include "pg/shared_state.h"

namespace pgbackup {
namespace {

struct SharedState {
  Latch* launcher_latch;    // guarded by the lock
  LauncherState launcher;   // guarded by the lock
  bool connecting;          // guarded by the lock
  LauncherTrouble trouble;  // guarded by the lock
  ConditionVariable changed;
  RunProgress progress[kMaxProgress];  // guarded by the lock
};

constexpr const char* kTranche = "pgbackup";

SharedState* shared = nullptr;
LWLock* lock = nullptr;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;
bool wake_at_commit = false;

void RequestHook() {
  if (previous_request_hook != nullptr) previous_request_hook();
  RequestAddinShmemSpace(sizeof(SharedState));
  RequestNamedLWLockTranche(kTranche, 1);
}

void StartupHook() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  shared = static_cast<SharedState*>(ShmemInitStruct("pgbackup", sizeof(SharedState), &found));
  if (!found) {
    memset(shared, 0, sizeof *shared);
    ConditionVariableInit(&shared->changed);
  }
  lock = &GetNamedLWLockTranche(kTranche)->lock;
  LWLockRelease(AddinShmemInitLock);
}

void OnTransactionEnd(XactEvent event, void* /*arg*/) {
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
      if (wake_at_commit) WakeLauncher();
      wake_at_commit = false;
      break;
    case XACT_EVENT_ABORT:
      wake_at_commit = false;
      break;
    default:
      break;
  }
}

void ForgetLauncher(int /*code*/, Datum /*arg*/) {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  if (shared->launcher.pid == MyProcPid) {
    shared->launcher_latch = nullptr;
    shared->launcher = {0, GetCurrentTimestamp(), 0, 0};
    shared->trouble = {};
    for (RunProgress& slot : shared->progress) slot.run_id = 0;
  }
  LWLockRelease(lock);
  ConditionVariableBroadcast(&shared->changed);
}

RunProgress* FindSlot(int64 run_id) {
  for (RunProgress& slot : shared->progress)
    if (slot.run_id == run_id) return &slot;
  return nullptr;
}

}  // namespace

int64 SteadyMicroseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64>(now.tv_sec) * USECS_PER_SEC + now.tv_nsec / 1000;
}

TimestampTz AsTimestamp(int64 steady_time) {
  return GetCurrentTimestamp() - (SteadyMicroseconds() - steady_time);
}

void RequestSharedState() {
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = RequestHook;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = StartupHook;
  RegisterXactCallback(OnTransactionEnd, nullptr);
}

bool IsPreloaded() {
  return shared != nullptr;
}

void RegisterLauncher() {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  shared->launcher_latch = MyLatch;
  const int64 now = SteadyMicroseconds();
  shared->launcher = {MyProcPid, GetCurrentTimestamp(), now, now};
  LWLockRelease(lock);
  before_shmem_exit(ForgetLauncher, static_cast<Datum>(0));
}

void PublishRound() {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  shared->launcher.last_round_ended = SteadyMicroseconds();
  LWLockRelease(lock);
}

void PublishRunEnd() {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  shared->launcher.last_run_ended = SteadyMicroseconds();
  LWLockRelease(lock);
}

LauncherState ReadLauncherState() {
  LWLockAcquire(lock, LW_SHARED);
  const LauncherState state = shared->launcher;
  LWLockRelease(lock);
  return state;
}

bool NoteConnecting(bool connecting) {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  const bool before = shared->connecting;
  shared->connecting = connecting;
  LWLockRelease(lock);
  return before;
}

void PublishTrouble(const LauncherTrouble& trouble) {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  shared->trouble = trouble;
  LWLockRelease(lock);
}

LauncherTrouble ReadTrouble() {
  LWLockAcquire(lock, LW_SHARED);
  const LauncherTrouble trouble = shared->trouble;
  LWLockRelease(lock);
  return trouble;
}

int LauncherPid() {
  return ReadLauncherState().pid;
}

void WakeLauncher() {
  LWLockAcquire(lock, LW_SHARED);
  if (shared->launcher_latch != nullptr) SetLatch(shared->launcher_latch);
  LWLockRelease(lock);
}

void WakeLauncherAtCommit() {
  wake_at_commit = true;
}

void AnnounceChange() {
  ConditionVariableBroadcast(&shared->changed);
}

void PrepareToWait() {
  ConditionVariablePrepareToSleep(&shared->changed);
}

void WaitForChange(long milliseconds) {
  ConditionVariableTimedSleep(&shared->changed, milliseconds, PG_WAIT_EXTENSION);
}

void FinishWaiting() {
  ConditionVariableCancelSleep();
}

void PublishProgress(const RunProgress& progress) {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  RunProgress* slot = FindSlot(progress.run_id);
  if (slot == nullptr) slot = FindSlot(0);
  if (slot != nullptr) *slot = progress;
  LWLockRelease(lock);
}

void ClearProgress(int64 run_id) {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  if (RunProgress* slot = FindSlot(run_id)) slot->run_id = 0;
  LWLockRelease(lock);
}

void ClearAllProgress() {
  LWLockAcquire(lock, LW_EXCLUSIVE);
  for (RunProgress& slot : shared->progress) slot.run_id = 0;
  LWLockRelease(lock);
}

bool FindProgress(int64 run_id, RunProgress* progress) {
  LWLockAcquire(lock, LW_SHARED);
  const RunProgress* slot = FindSlot(run_id);
  if (slot != nullptr) *progress = *slot;
  LWLockRelease(lock);
  return slot != nullptr;
}

int ReadProgress(RunProgress* progress) {
  int count = 0;
  LWLockAcquire(lock, LW_SHARED);
  for (const RunProgress& slot : shared->progress)
    if (slot.run_id != 0) progress[count++] = slot;
  LWLockRelease(lock);
  return count;
}

}  // namespace pgbackup
