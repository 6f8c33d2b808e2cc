#include "cli/console.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>

#include "agent/end_watch.h"
#include "agent/job_runner.h"
#include "cli/exit_status.h"
#include "cli/printable.h"
#include "cli/progress_display.h"
#include "core/job/events.h"

namespace pgbackup {
namespace {

constexpr std::string_view kSettingPrefix = "pgbackup.";

// "bin_directory" → "--bin-directory"; empty when the command has no such option.
std::string OptionFor(const CLI::App& command, std::string_view setting) {
  if (setting == "dump_conninfo") setting = "dbname";
  std::string option = fmt::format("--{}", setting);
  for (char& c : option)
    if (c == '_') c = '-';
  return command.get_option_no_throw(option) == nullptr ? "" : option;
}

// What "=> true" or "=> 'value'" is on the command line, and how long it is in `text`; of length 0
// when it is neither.
struct Argument {
  std::string value;
  size_t length = 0;
};
Argument ArgumentIn(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  if (text.starts_with(kTrue)) return {"", kTrue.size()};
  const size_t end = text.starts_with('\'') ? text.find('\'', 1) : std::string_view::npos;
  if (end == std::string_view::npos) return {};
  return {fmt::format(" {}", text.substr(1, end - 1)), end + 1};
}

// "create_roles => true" becomes "--create-roles", "on_error => 'continue'" "--on-error continue".
// The text may be anything, and long: no regular expression, which takes room on the stack for
// every character.
std::string FlagsAsOptions(const CLI::App& command, const std::string& text) {
  constexpr std::string_view kArrow = " => ";
  const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  std::string result;
  size_t done = 0;
  for (size_t at; (at = text.find(kArrow, done)) != std::string::npos;) {
    size_t begin = at;
    while (begin > done && is_name(text[begin - 1])) --begin;
    const std::string option =
        begin == at ? "" : OptionFor(command, std::string_view(text).substr(begin, at - begin));
    result += text.substr(done, begin - done);
    const Argument argument = ArgumentIn(std::string_view(text).substr(at + kArrow.size()));
    const size_t length = kArrow.size() + argument.length;
    const bool is_option = !option.empty() && argument.length > 0;
    result += is_option ? option + argument.value : text.substr(begin, at + length - begin);
    done = at + length;
  }
  return result + text.substr(done);
}

void PrintPart(const CLI::App& command, const char* part, const std::string& text) {
  if (!text.empty()) PrintRemark(fmt::format("{}: {}", part, InWordsOf(command, text)));
}

}  // namespace

void OutputOptions::AddTo(CLI::App& command) {
  command.add_flag("-q,--quiet", quiet, "Print no progress and no remarks")->group("Output");
  command.add_flag("--json", json, "Print the result as JSON")->group("Output");
}

void PrintText(const std::string& text) {
  std::fputs(Printable(text).c_str(), stdout);
  std::fflush(stdout);
}

void PrintLine(const std::string& text) {
  PrintText(text + "\n");
}

void PrintJson(const boost::json::value& value) {
  std::fputs((PrintableJson(boost::json::serialize(value)) + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void PrintRemark(const std::string& text) {
  std::fputs(("pgbackup: " + Printable(text) + "\n").c_str(), stderr);
}

std::string InWordsOf(const CLI::App& command, const std::string& text) {
  std::string result;
  size_t done = 0;
  for (size_t at; (at = text.find(kSettingPrefix, done)) != std::string::npos;) {
    const size_t begin = at + kSettingPrefix.size();
    size_t end = begin;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const std::string option =
        OptionFor(command, std::string_view(text).substr(begin, end - begin));
    result += text.substr(done, at - done);
    result += option.empty() ? text.substr(at, end - at) : option;
    done = end;
  }
  return FlagsAsOptions(command, result + text.substr(done));
}

RunOutcome RunOnConsole(const JobBase& job, const OutputOptions& output,
                        const std::function<RunOutcome(const RunContext&)>& run) {
  signal(SIGPIPE, SIG_IGN);
  Progress progress;
  Cancellation cancellation;
  ProgressDisplay display(progress, !output.quiet);
  const auto leave = [](int status) {
    PrintRemark("error: the run did not end in time and is left where it stands");
    _exit(status);
  };
  const EndWatch watch(
      -1, cancellation, [&leave] { leave(kExitInterrupted); }, EndWatch::kPatience,
      kExitInterrupted);
  RunOutcome outcome;
  try {
    outcome = WithContext(
        job, cancellation, progress,
        {[](const boost::json::object&) {}, [&](const std::string& line) { display.Say(line); },
         [&watch] { return watch.request(); },
         [&leave](const Error& error) {
           PrintRemark("error: " + error.message());
           leave(kExitFailed);
         }},
        run);
  } catch (const UsageError&) {
    throw;
  } catch (...) {
    outcome = OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
  outcome.held.reset();
  // Ctrl-C reaches the programs that it has started, too.
  return Ended(std::move(outcome), watch.request());
}

int ExitStatusOf(const RunOutcome& outcome) noexcept {
  if (outcome.state == RunState::kCompleted)
    return outcome.fields.if_contains("errors") != nullptr ? kExitIncomplete : kExitDone;
  if (outcome.state == RunState::kCancelled) return kExitInterrupted;
  switch (outcome.error ? outcome.error->kind() : ErrorKind::kInternal) {
    case ErrorKind::kNotFound:
      return kExitNotFound;
    case ErrorKind::kCorrupt:
      return kExitDamaged;
    default:
      return kExitFailed;
  }
}

void ReportError(const Error& error, const CLI::App& command) {
  PrintPart(command, "error", error.message());
  PrintPart(command, "detail", error.detail());
  PrintPart(command, "hint", error.hint());
}

int ReportOutcome(const RunOutcome& outcome, const OutputOptions& output, const CLI::App& command,
                  const std::function<std::string()>& success) {
  if (outcome.state == RunState::kCompleted && success && !output.json && !output.quiet)
    PrintLine(success());
  if (output.json) PrintJson(boost::json::parse(FinalEvent(outcome)));
  if (outcome.state == RunState::kCancelled) {
    PrintRemark(outcome.cleaned ? "interrupted" : "interrupted; something may be left behind");
  } else if (outcome.state == RunState::kFailed && outcome.error) {
    ReportError(*outcome.error, command);
  }
  return ExitStatusOf(outcome);
}

}  // namespace pgbackup
