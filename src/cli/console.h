// What a command says, and how it runs what it was asked for.
//
// Results go to standard output, everything else to standard error: errors as PostgreSQL's own
// programs write them, progress as a bar on a terminal and as a line for each phase otherwise.
#pragma once

#include <CLI/App.hpp>
#include <boost/json.hpp>
#include <functional>
#include <string>

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// The arguments make no sense, as far as could be told without running anything, or a name that
// they give fits several backups.
class UsageError : public Error {
 public:
  using Error::Error;
};

struct OutputOptions {
  bool quiet = false;  // no progress, no remarks
  bool json = false;   // the result is one JSON value
  void AddTo(CLI::App& command);
};

// Runs `run` with the real machine behind it, as an agent would run `job`, and shows its progress.
// The first Ctrl-C (SIGINT, SIGTERM, SIGHUP) ends it cleanly: objects and databases that it has
// begun are removed. Whatever went wrong is in the outcome, but for a UsageError, which is thrown.
RunOutcome RunOnConsole(const JobBase& job, const OutputOptions& output,
                        const std::function<RunOutcome(const RunContext&)>& run);

// Says what went wrong or, of a run that completed, what `success` returns (unless it is empty, or
// `output` wants no words), and returns the exit status. With `output.json`
// the outcome goes to standard output as the last event of an agent (docs/job-protocol.md).
int ReportOutcome(const RunOutcome& outcome, const OutputOptions& output, const CLI::App& command,
                  const std::function<std::string()>& success = {});

// Says what is wrong, in the words of `command`.
void ReportError(const Error& error, const CLI::App& command);

// The exit status for a run that ended so.
int ExitStatusOf(const RunOutcome& outcome) noexcept;

// `text` with the names of settings of the server written as the options of `command` that stand
// for them: "pgbackup.bin_directory" becomes "--bin-directory"; and so "create_roles => true"
// "--create-roles".
std::string InWordsOf(const CLI::App& command, const std::string& text);

// Write to standard output: a line, a text of several lines, or a value as one line of JSON.
// Nothing in it can steer a terminal (printable.h).
void PrintLine(const std::string& text);
void PrintText(const std::string& text);
void PrintJson(const boost::json::value& value);

// Writes a line to standard error, in the same manner.
void PrintRemark(const std::string& text);

}  // namespace pgbackup
