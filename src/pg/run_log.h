// What the launcher writes to the server's log about runs: pgbackup.log_level decides what.
#pragma once

#include "pg/agent_process.h"

namespace pgbackup {

// The values of pgbackup.log_level, from the least important messages to those that always show.
enum class LogLevel {
  kDebug,    // a run starts, or is in another phase
  kLog,      // it completed or was cancelled
  kWarning,  // what agents have to say, remarks
  kFailure,  // it failed
};

// The run that a line is about. `database` is empty where there is none.
struct LoggedRun {
  JobKind kind;
  int64 id;
  const char* database;
};

// A line that is about no run: "pgbackup: <text>". `hint` may be nullptr.
void WriteLog(LogLevel level, const char* text, const char* hint = nullptr);

// "pgbackup: backup 7 of database "shop" <what>: <text>"; one of `what` and `text` may be nullptr.
// Whatever fails, there are four lines a minute about failures at most, and four with warnings.
void WriteRunLog(LogLevel level, const LoggedRun& run, const char* what, const char* text);

// A line about notifications of a kind of job (kWebhook, kMail). Of these there are four a minute
// at most, whatever happens; the next one says how many were left out.
void WriteNoticeLog(JobKind kind, LogLevel level, const char* text, const char* hint = nullptr);

// Launcher: from now on, what this process logs has one line of CONTEXT at most.
void ShortenLog();

// Once there is room again: how many lines about runs were left out, and the last of them.
void WriteLeftOutLog();

}  // namespace pgbackup
