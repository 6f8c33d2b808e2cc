#include "pg/question.h"

#include "pg/abandoned_agents.h"
#include "pg/agent_event.h"
#include "pg/agent_process.h"
#include "pg/caller.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr long kQuestionGraceMs = 5000;  // for an agent that nobody listens to any more
constexpr long kReapMs = 10;  // between looks for the end of an agent that has closed its pipes

void OnAnswer(Agent* agent, const char* line) {
  agent->final_event = MemoryContextStrdup(agent->context, line);
}

void OnAnswerLog(Agent* /*agent*/, const char* line) {
  ereport(DEBUG1, (errmsg_internal("pgbackup agent: %s", line)));
}

void AwaitMore(const Agent& agent, long timeout_ms) {
#if PG_VERSION_NUM >= 170000
  WaitEventSet* events = CreateWaitEventSet(CurrentResourceOwner, 4);
#else
  WaitEventSet* events = CreateWaitEventSet(CurrentMemoryContext, 4);
#endif
  AddWaitEventToSet(events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
  AddWaitEventToSet(events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
  const bool talks = agent.stdout_fd >= 0 || agent.stderr_fd >= 0;
  if (agent.stdout_fd >= 0)
    AddWaitEventToSet(events, WL_SOCKET_READABLE, agent.stdout_fd, nullptr, nullptr);
  if (agent.stderr_fd >= 0)
    AddWaitEventToSet(events, WL_SOCKET_READABLE, agent.stderr_fd, nullptr, nullptr);
  WaitEvent event;
  WaitEventSetWait(events, talks ? timeout_ms : Min(timeout_ms, kReapMs), &event, 1,
                   PG_WAIT_EXTENSION);
  FreeWaitEventSet(events);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

void Listen(Agent* agent, int timeout_ms, const char* whom) {
  const TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
  for (;;) {
    DrainAgent(agent, OnAnswer, OnAnswerLog);
    if (HasEnded(agent)) return;
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);
    if (left <= 0)
      ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                      errmsg("%s did not answer within %d seconds", whom, timeout_ms / 1000),
                      errhint("Check that the server is not overloaded and can reach the storage, "
                              "then try again.")));
    AwaitMore(*agent, left);
  }
}

// Raises what a failed event says. `event` is JSON in the server's encoding.
void RaiseFailure(const char* event) {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  ExecuteSql(
      "SELECT j->>'message', nullif(j->>'detail', ''), nullif(j->>'hint', ''), j->>'sqlstate' "
      "FROM (SELECT $1::jsonb) AS e (j)",
      SqlArguments().Text(event));
  const char* message = TextOfRow(0, 0);
  const char* detail = TextOfRow(0, 1);
  const char* hint = TextOfRow(0, 2);
  const char* code = TextOfRow(0, 3);
  const bool has_code = code != nullptr && strlen(code) == 5;
  ereport(ERROR, (errcode(has_code ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4])
                                   : ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                  errmsg("%s", message == nullptr ? "the pgbackup agent failed" : message),
                  detail == nullptr ? 0 : errdetail("%s", detail),
                  hint == nullptr ? 0 : errhint("%s", hint)));
}

char* Answer(const Agent& agent) {
  if (agent.final_event == nullptr)
    ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                    errmsg("the pgbackup agent %s without an answer", EndInWords(&agent)),
                    errhint("The server's log may say more.")));
  char* answer = pstrdup(AgentText(agent.final_event));
  if (ReadEvent(answer).kind != EventKind::kCompleted) RaiseFailure(answer);
  return answer;
}

// Ends an agent that still runs. Asks it first, for it may have something to clean up: a check
// writes. This is where an error or a cancel of the query waits, so not for long, and never for a
// process that cannot be killed.
void EndAgent(Agent* agent) {
  if (agent->pid != 0 && !HasEnded(agent)) {
    StopAgentWithin(agent, StopReason::kCancelled, kQuestionGraceMs);
    while (!agent->exited && !HasEnded(agent)) {
      pg_usleep(kReapMs * 1000);
      EnforceStop(agent, GetCurrentTimestamp());
    }
  }
  ReleaseAgent(agent);
}

}  // namespace

char* AskAgent(const char* job, int timeout_ms, const char* whom) {
  RefuseRestrictedOperation();
  ReapAbandonedAgents();
  Agent agent;
  const char* error = StartAgent(&agent, JobKind::kRemove, 0, job);
  if (error != nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FILE), errmsg("%s", error),
                    errhint("Install the pgbackup executable beside the server's programs.")));
  char* volatile answer = nullptr;
  PG_TRY();
  {
    Listen(&agent, timeout_ms, whom);
    answer = Answer(agent);
  }
  PG_FINALLY();
  { EndAgent(&agent); }
  PG_END_TRY();
  return answer;
}

}  // namespace pgbackup
