// The launcher's side of the tables: what there is to do, and how runs change state.
//
// Every function here runs inside RunInTransaction and may raise errors, except where noted. Text
// it returns is allocated in the memory context it is given.
#pragma once

#include "shared/state.h"

#include "pg/agent_process.h"

namespace pgbackup {

// A job that is ready to be started: its row already says in_progress (backups, restores).
struct ReadyJob {
  bool found;
  int64 run_id;
  NameData database;  // the one dumped or made
  char* json;         // UTF-8; nullptr when the row could not be prepared: then `error` says why
  const char* error;
  bool needs_reload;  // with `error`: it may be none when this process has read its configuration
};

// The row that a function takes, told before it works on it: it stays known when an error ends
// that.
struct Candidate {
  int64 run_id;  // 0: none yet
  NameData database;
};

// How a run ended, for its row. All texts may be nullptr.
struct Outcome {
  RunState state;
  const char* message;
  const char* detail;
  const char* hint;
  const char* sqlstate;
  const char* event;      // the agent's last line (JSON) or nullptr; fills what is nullptr above
  bool retry;             // a failed backup: it may work later
  bool remove_leftovers;  // objects may be left in storage: queue their removal
  bool copies_go_on;      // a completed backup: its copies are settled later
};

// Whether the extension exists in the home database.
bool ExtensionExists();

// Notes the cluster's system identifier: backups that were made under an earlier one stay its own.
void NoteSystem();

// Marks runs that no agent works on any more as failed ("interrupted"), and queues the removal of
// what they may have left in storage. Called when the launcher starts.
void FailInterruptedRuns();

// Takes the next pending backup (or restore, or verification; not for other kinds) that may start
// at `now`: moves it to in_progress and writes its job.
ReadyJob TakeNext(JobKind kind, TimestampTz now, MemoryContext context, Candidate* candidate);

// When the next backup may start that is to be tried again; 0 when none waits.
TimestampTz NextRetryTime();

// Queues another attempt at backup `run_id`, which has just failed, and says so in its row: when
// others used its tables (`in_the_way`), and when a schedule started it and it may work later. Not
// when it has been tried often enough, or when a later run of its schedule takes its place.
void QueueRetry(int64 run_id, bool in_the_way);

// Cancels what waits to be tried again of a schedule's earlier slots, where slot `slot` has a run
// of the same database.
void SupersedeRetries(const char* schedule, TimestampTz slot);

// The next copy of a completed backup that is due at `now`, if any: moves it to in_progress and
// writes its job.
ReadyJob TakeCopy(TimestampTz now, MemoryContext context, Candidate* candidate);

// When the next copy is due; 0 when none waits.
TimestampTz NextCopyTime();

// The next removal that is due at `now`, if any. Its row stays until FinishRemoval.
ReadyJob NextRemoval(TimestampTz now, MemoryContext context, Candidate* candidate);

// When the next removal is due; 0 when none waits.
TimestampTz NextRemovalTime();

// Whether a restore (or undo) has recorded its own end, as it does in the transaction that swaps
// databases. Waits for that transaction if it is just committing.
bool HasRecordedItself(int64 restore_id);

// Ends a run: the one place that writes a final state. Returns the message of the row, which may be
// nullptr.
const char* RecordOutcome(JobKind kind, int64 run_id, const Outcome& outcome);

// Settles the copies that a backup has made on its way. `event` is the agent's last line (JSON), or
// nullptr when there is none to go by: then they have failed. Those of a completed backup are tried
// again.
void SettleCopies(int64 backup_id, const char* event, bool backup_completed);

// Ends an attempt to make a copy of a completed backup. Returns as RecordOutcome does.
const char* RecordCopyOutcome(int64 copy_id, const Outcome& outcome);

// Ends a removal: deletes it, or notes the failure and when to try again.
void FinishRemoval(int64 run_id, bool done, const char* event);
// The same of one that could not be begun, with the reason.
void FailRemoval(int64 run_id, const char* message);

// A job that writes pins and verifications to a storage where some are due at `now`, if any. Their
// rows stay until FinishMarks; the job has the id of the first of them.
ReadyJob NextMarks(TimestampTz now, MemoryContext context, Candidate* candidate);

// When the next of them are due; 0 when none wait.
TimestampTz NextMarksTime();

// Takes off the queue what was written, by the agent's last line, and notes what failed. `event` is
// nullptr when there is none: then `why` says why, if that is known. The first failure in a row of
// a storage is a warning in the log.
void FinishMarks(int64 run_id, const char* event, const char* why = nullptr);

// The notifications of a kind of job (kWebhook, kMail) that are due at `now`, if any; sets *due to
// when the next of them are, 0 when none wait. Their rows stay until FinishNotices.
ReadyJob NextNotices(JobKind kind, TimestampTz now, MemoryContext context, TimestampTz* due);

// Takes off the queue what was sent, by the agent's last line, and notes what failed. `event` is
// nullptr when there is none: then `why` says why, if that is known. The first failure in a row of
// a target is a warning in the log.
void FinishNotices(JobKind kind, const char* event, const char* why = nullptr);

// Requests to cancel, oldest first, each taken off the table. Pending runs are moved to cancelled
// at once; for the others `stop` is called with the run's id and the role that asked.
void TakeCancellations(void (*stop)(int64 run_id, const char* by));

// Queues the removal of databases that restores have replaced long enough ago.
void RemoveReplacedDatabases();

}  // namespace pgbackup
