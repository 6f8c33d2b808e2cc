#include "shared/state.h"

#include "pg/abandoned_agents.h"
#include "pg/agent_event.h"
#include "pg/catalog.h"
#include "pg/launcher_trouble.h"
#include "pg/retention.h"
#include "pg/run_log.h"
#include "pg/running_agents.h"
#include "pg/settings.h"
#include "pg/shared_state.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

Agent agents[kMaxAgents];

bool InUse(const Agent& agent) {
  return agent.pid != 0;
}

bool IsNotice(JobKind kind) {
  return kind == JobKind::kWebhook || kind == JobKind::kMail;
}

// Removals, marks and notifications are no runs: they have no row of their own that shows a state.
bool IsRun(JobKind kind) {
  return kind != JobKind::kRemove && kind != JobKind::kMarks && !IsNotice(kind);
}

RunKind RunKindOf(JobKind kind) {
  if (kind == JobKind::kCopy) return RunKind::kCopy;
  if (kind == JobKind::kVerify) return RunKind::kVerify;
  return kind == JobKind::kRestore ? RunKind::kRestore : RunKind::kBackup;
}

void Publish(const Agent& agent, const AgentProgress& told) {
  if (!IsRun(agent.kind)) return;
  RunProgress progress = {};
  progress.run_id = agent.run_id;
  progress.kind = RunKindOf(agent.kind);
  progress.agent_pid = agent.pid;
  progress.database = agent.database;
  progress.started_at = agent.started_at;
  progress.moved_at = SteadyMicroseconds() - told.idle_seconds * USECS_PER_SEC;
  progress.told = told;
  PublishProgress(progress);
}

LoggedRun Named(const Agent& agent) {
  return {agent.kind, agent.run_id, NameStr(agent.database)};
}

void LogEnd(const Agent& agent, RunState state, const char* message) {
  WriteRunLog(state == RunState::kFailed ? LogLevel::kFailure : LogLevel::kLog, Named(agent),
              StateName(state), state == RunState::kCancelled ? nullptr : message);
}

// Writes the final state of a run or a copy; as RecordOutcome.
const char* Record(JobKind kind, int64 run_id, const Outcome& outcome) {
  return kind == JobKind::kCopy ? RecordCopyOutcome(run_id, outcome)
                                : RecordOutcome(kind, run_id, outcome);
}

// The same of an agent's run. A backup that completes may be what others were kept for.
const char* RecordRun(const Agent& agent, const Outcome& outcome) {
  if (agent.kind == JobKind::kBackup && outcome.state == RunState::kCompleted)
    RetainSoon(NameStr(agent.database));
  return Record(agent.kind, agent.run_id, outcome);
}

void LogPhase(Agent* agent, const char* phase) {
  if (!IsRun(agent->kind) || strcmp(agent->phase, phase) == 0) return;
  strlcpy(agent->phase, phase, sizeof agent->phase);
  WriteRunLog(LogLevel::kDebug, Named(*agent), nullptr, phase);
}

struct SpokenLine {
  Agent* agent;
  const char* text;
  bool is_stored;  // the line has completed the run, whose agent goes on
};

// The backup is complete, whatever becomes of its copies and of the agent.
void RecordStored(const Agent& agent, const char* event) {
  if (agent.kind != JobKind::kBackup || !ExtensionExists()) return;
  Outcome outcome = {};
  outcome.state = RunState::kCompleted;
  outcome.event = event;
  outcome.copies_go_on = true;
  RecordRun(agent, outcome);
  LogEnd(agent, outcome.state, nullptr);
}

void HearLine(void* arg) {
  SpokenLine* line = static_cast<SpokenLine*>(arg);
  const char* text = AgentText(line->text);
  const AgentEvent event = ReadEvent(text);
  switch (event.kind) {
    case EventKind::kProgress:
      line->agent->heard_at = SteadyMicroseconds();
      Publish(*line->agent, event.progress);
      LogPhase(line->agent, event.progress.phase);
      break;
    case EventKind::kStored:
      RecordStored(*line->agent, text);
      line->is_stored = true;
      break;
    case EventKind::kCompleted:
    case EventKind::kFailed:
    case EventKind::kCancelled:
      line->agent->final_event = MemoryContextStrdup(line->agent->context, text);
      break;
    case EventKind::kUnknown:
      WriteRunLog(LogLevel::kWarning, Named(*line->agent), "said something unknown", nullptr);
      break;
  }
}

void OnLine(Agent* agent, const char* text) {
  SpokenLine line = {agent, text, false};
  // When this cannot be recorded now, the agent's last line says it again.
  if (!RunInTransaction(HearLine, &line) || !line.is_stored) return;
  agent->is_stored = true;
  AnnounceChange();
}

void OnLog(Agent* agent, const char* text) {
  if (IsNotice(agent->kind))
    WriteNoticeLog(agent->kind, LogLevel::kWarning, psprintf("agent for notifications: %s", text));
  else if (agent->kind == JobKind::kMarks)
    WriteLog(LogLevel::kWarning, text);
  else
    WriteRunLog(LogLevel::kWarning, Named(*agent), nullptr, text);
}

// What the row, and the agent itself, are told of a run that pgbackup.timeout ends. The result is
// good until the next call.
const char* TimeoutInWords() {
  static char words[100];
  snprintf(words, sizeof words, "took longer than pgbackup.timeout (%d second%s) and was stopped",
           settings.timeout, settings.timeout == 1 ? "" : "s");
  return words;
}

// Decides what became of a run from what the agent said, how it ended and why it was stopped.
Outcome Judge(const Agent& agent, const AgentEvent& event) {
  Outcome outcome = {};
  outcome.state = RunState::kFailed;
  outcome.event = agent.final_event;
  outcome.remove_leftovers = !event.cleaned;
  const bool clean_exit = (WIFEXITED(agent.wait_status) && WEXITSTATUS(agent.wait_status) == 0) ||
                          WasKilledAtExit(agent);
  if (event.kind == EventKind::kCompleted && clean_exit) {
    outcome.state = RunState::kCompleted;
    outcome.remove_leftovers = false;
  } else if (agent.stop_reason == StopReason::kCancelled) {
    outcome.state = RunState::kCancelled;
    outcome.message = psprintf("cancelled by %s", NameStr(agent.stopped_by));
    outcome.sqlstate = "57014";
  } else if (agent.stop_reason == StopReason::kTimeout) {
    outcome.message = TimeoutInWords();
    outcome.hint = "Raise pgbackup.timeout, or find out what slowed the run down.";
    outcome.sqlstate = "57014";
  } else if (agent.stop_reason == StopReason::kSilent) {
    outcome.message = "the pgbackup agent did not respond and was killed";
    outcome.hint =
        "Find out what stopped the process: a debugger, a SIGSTOP, a frozen container or a machine "
        "without memory. Then start the run again.";
    outcome.sqlstate = "38000";
    outcome.event = nullptr;
  } else if (event.kind == EventKind::kFailed) {
    outcome.retry = event.retry;  // the event says all the rest
  } else if (event.kind == EventKind::kCancelled) {
    outcome.message = "the pgbackup agent was told to stop from outside";
    outcome.hint = "Look in the system's log for what sent it a signal, then start the run again.";
    outcome.sqlstate = "57014";
  } else {
    outcome.message = psprintf("the pgbackup agent %s", EndInWords(&agent));
    outcome.hint =
        "Look in the server's log and the system's log (for example for the out-of-memory killer), "
        "then start the run again.";
    outcome.sqlstate = "38000";
    outcome.event = nullptr;
  }
  return outcome;
}

void RecordEnd(void* arg) {
  const Agent& agent = *static_cast<const Agent*>(arg);
  if (!ExtensionExists()) return;  // dropped during the run, and the row with it
  AgentEvent event = {};
  if (agent.final_event != nullptr) event = ReadEvent(agent.final_event);
  const Outcome outcome = Judge(agent, event);
  if (agent.is_stored) {
    const bool told = outcome.state == RunState::kCompleted;
    SettleCopies(agent.run_id, told ? agent.final_event : nullptr, true);
    return;
  }
  if (agent.kind == JobKind::kRemove) {
    FinishRemoval(agent.run_id, outcome.state == RunState::kCompleted, agent.final_event);
    return;
  }
  if (agent.kind == JobKind::kMarks) {
    FinishMarks(agent.run_id, agent.final_event, outcome.message);
    return;
  }
  if (IsNotice(agent.kind)) {
    // What it has sent is sent, even if it did not end well afterwards.
    const bool has_answer = event.kind == EventKind::kCompleted;
    FinishNotices(agent.kind, has_answer ? agent.final_event : outcome.event, outcome.message);
    return;
  }
  if (agent.kind == JobKind::kRestore && HasRecordedItself(agent.run_id)) {
    LogEnd(agent, RunState::kCompleted, nullptr);
    return;
  }
  const char* message = RecordRun(agent, outcome);
  LogEnd(agent, outcome.state, message);
}

struct UnrecordedEnd {
  const Agent* agent;
  const RowError* error;
};

// What the agent said is something that the catalog does not take: the run ends all the same.
void RecordUnrecordable(void* arg) {
  const Agent& agent = *static_cast<const UnrecordedEnd*>(arg)->agent;
  const RowError& error = *static_cast<const UnrecordedEnd*>(arg)->error;
  if (!ExtensionExists()) return;
  if (agent.is_stored) return SettleCopies(agent.run_id, nullptr, true);
  if (agent.kind == JobKind::kRemove) return FailRemoval(agent.run_id, error.message);
  if (agent.kind == JobKind::kMarks) return FinishMarks(agent.run_id, nullptr, error.message);
  if (IsNotice(agent.kind)) return FinishNotices(agent.kind, nullptr, error.message);
  Outcome outcome = {};
  outcome.state = RunState::kFailed;
  outcome.message = psprintf("the end of the run could not be recorded: %s", error.message);
  outcome.hint =
      "A backup that was complete lies in its storage; pgbackup.import() enters it if the "
      "catalog takes its manifest.";
  outcome.sqlstate = error.sqlstate;
  LogEnd(agent, outcome.state, Record(agent.kind, agent.run_id, outcome));
}

// False when it is to be tried again: the row may be locked, or the disk full. What the agent said
// is kept until it is recorded.
bool RecordEndOf(Agent* agent) {
  RowError error = {};
  if (RunInTransaction(RecordEnd, agent, &error)) return true;
  UnrecordedEnd end = {agent, &error};
  return error.is_set && RunInTransaction(RecordUnrecordable, &end);
}

// Returns true when the agent is gone and its slot free.
bool FinishAgent(Agent* agent) {
  const TimestampTz now = GetCurrentTimestamp();
  if (agent->retry_record_at > now) return false;
  if (!RecordEndOf(agent)) {
    agent->retry_record_at = TimestampTzPlusMilliseconds(now, RetryDelay());
    return false;
  }
  ClearProgress(agent->run_id);
  if (IsRun(agent->kind)) PublishRunEnd();
  ReleaseAgent(agent);
  AnnounceChange();
  return true;
}

struct StartFailure {
  JobKind kind;
  int64 run_id;
  const char* message;
};

void RecordStartFailure(void* arg) {
  const StartFailure& failure = *static_cast<const StartFailure*>(arg);
  if (failure.kind == JobKind::kRemove) {
    FinishRemoval(failure.run_id, false, nullptr);
    return;
  }
  if (failure.kind == JobKind::kMarks) {
    FinishMarks(failure.run_id, nullptr, failure.message);
    return;
  }
  if (IsNotice(failure.kind)) {
    FinishNotices(failure.kind, nullptr, failure.message);
    return;
  }
  Outcome outcome = {};
  outcome.state = RunState::kFailed;
  outcome.message = failure.message;
  outcome.hint = "Install the pgbackup executable beside the server's programs (make install).";
  outcome.sqlstate = "58P01";
  Record(failure.kind, failure.run_id, outcome);
}

// What an agent of which nothing is heard for so long does is nothing: even one whose storage hangs
// reports several times a minute.
constexpr int64 kLongestSilence = INT64CONST(10) * SECS_PER_MINUTE * USECS_PER_SEC;

bool IsSilent(const Agent& agent) {
  return !agent.exited && agent.final_event == nullptr && agent.stop_reason == StopReason::kNone &&
         SteadyMicroseconds() - agent.heard_at > kLongestSilence;
}

void EndSilentAgent(Agent* agent) {
  WriteRunLog(LogLevel::kFailure, Named(*agent), nullptr,
              "the agent has not responded for ten minutes and is killed");
  StopAgent(agent, StopReason::kSilent);
}

bool IsAgent(pid_t pid) {
  for (const Agent& agent : agents)
    if (InUse(agent) && agent.pid == pid && !agent.exited) return true;
  return false;
}

Agent* FreeSlot() {
  for (Agent& agent : agents)
    if (!InUse(agent)) return &agent;
  return nullptr;
}

}  // namespace

int CountAgents(JobKind kind) {
  int count = 0;
  for (const Agent& agent : agents)
    if (InUse(agent) && agent.kind == kind) ++count;
  return count;
}

bool HasUnrecordedEnd() {
  for (const Agent& agent : agents)
    if (InUse(agent) && agent.retry_record_at != 0) return true;
  return false;
}

bool HasToldEnd() {
  for (const Agent& agent : agents)
    if (InUse(agent) && agent.final_event != nullptr) return true;
  return false;
}

bool HasFreeSlot() {
  return FreeSlot() != nullptr;
}

void Launch(JobKind kind, int64 run_id, const char* database, const char* json) {
  Agent* agent = FreeSlot();
  const char* error = StartAgent(agent, kind, run_id, json);
  if (error != nullptr) {
    if (!IsNotice(kind) && kind != JobKind::kMarks)
      WriteRunLog(LogLevel::kFailure, {kind, run_id, database}, StateName(RunState::kFailed),
                  error);
    StartFailure failure = {kind, run_id, error};
    RunInTransaction(RecordStartFailure, &failure);
    AnnounceChange();
    return;
  }
  namestrcpy(&agent->database, database);
  agent->heard_at = SteadyMicroseconds();
  if (IsRun(kind) && settings.timeout > 0)
    agent->deadline =
        TimestampTzPlusMilliseconds(agent->started_at, settings.timeout * INT64CONST(1000));
  AgentProgress begin = {};
  strlcpy(begin.phase, "starting", sizeof begin.phase);
  Publish(*agent, begin);
  LogPhase(agent, begin.phase);
  AnnounceChange();
}

bool ServeAgents() {
  bool any_ended = false;
  const TimestampTz now = GetCurrentTimestamp();
  ReapAbandonedAgents();
  for (Agent& agent : agents) {
    if (!InUse(agent)) continue;
    DrainAgent(&agent, OnLine, OnLog);
    if (agent.deadline != 0 && now >= agent.deadline)
      StopAgent(&agent, StopReason::kTimeout, TimeoutInWords());
    if (IsSilent(agent)) EndSilentAgent(&agent);
    EnforceStop(&agent, now);
    if (HasEnded(&agent) && FinishAgent(&agent)) any_ended = true;
  }
  ReapOrphans(IsAgent);
  return any_ended;
}

void CancelRun(int64 run_id, const char* by) {
  for (Agent& agent : agents) {
    if (!InUse(agent) || agent.run_id != run_id || !IsRun(agent.kind)) continue;
    if (agent.stop_reason == StopReason::kNone) namestrcpy(&agent.stopped_by, by);
    StopAgent(&agent, StopReason::kCancelled);
  }
}

void StopAllAgents(StopReason reason) {
  for (Agent& agent : agents)
    if (InUse(agent)) StopAgent(&agent, reason);
}

int CountAgentPipes() {
  int count = 0;
  for (const Agent& agent : agents)
    if (InUse(agent)) count += (agent.stdout_fd >= 0 ? 1 : 0) + (agent.stderr_fd >= 0 ? 1 : 0);
  return count;
}

void AddAgentPipes(WaitEventSet* events) {
  for (const Agent& agent : agents) {
    if (!InUse(agent)) continue;
    for (const int fd : {agent.stdout_fd, agent.stderr_fd})
      if (fd >= 0) AddWaitEventToSet(events, WL_SOCKET_READABLE, fd, nullptr, nullptr);
  }
}

TimestampTz NextAgentTime() {
  TimestampTz earliest = 0;
  for (const Agent& agent : agents) {
    if (!InUse(agent)) continue;
    KeepEarliest(&earliest, agent.retry_record_at);
    if (agent.retry_record_at == 0) KeepEarliest(&earliest, NextStopTime(agent));
    if (agent.exited) continue;
    if (agent.stop_reason == StopReason::kNone) KeepEarliest(&earliest, agent.deadline);
  }
  return earliest;
}

}  // namespace pgbackup
