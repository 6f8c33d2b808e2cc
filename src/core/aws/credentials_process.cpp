#include "core/aws/credentials_process.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "core/aws/credentials_http.h"
#include "core/base/deadline.h"
#include "core/base/json.h"
#include "core/process/child_process.h"
#include "core/process/program.h"

namespace pgbackup {
namespace {

constexpr size_t kLongestOutput = 64u << 10;
constexpr std::chrono::milliseconds kTimeToExit{2'000};
constexpr const char* kProcessHint =
    "Run the profile's credential_process by hand, as the operating system user that runs "
    "PostgreSQL and with its environment.";

// The settings of the AWS tools that say where things are. Neither keys nor the profile: the
// program would find its own way back here.
constexpr const char* kPassedOn[] = {"HOME",
                                     "TZ",
                                     "AWS_CONFIG_FILE",
                                     "AWS_SHARED_CREDENTIALS_FILE",
                                     "AWS_REGION",
                                     "AWS_DEFAULT_REGION",
                                     "AWS_CA_BUNDLE",
                                     "AWS_ENDPOINT_URL_STS",
                                     "AWS_ENDPOINT_URL_SSO"};

// All that the child writes until it closes its output or `end` is set.
std::string ReadOutput(int fd, const std::string& failed, const Cancellation& end,
                       const Cancellations& cancellations) {
  std::vector<pollfd> waiting = {{fd, POLLIN, 0}, {end.fd(), POLLIN, 0}};
  for (const Cancellation* cancellation : cancellations)
    waiting.push_back({cancellation->fd(), POLLIN, 0});
  std::string output;
  for (;;) {
    const int ready = poll(waiting.data(), waiting.size(), -1);
    if (ready < 0 && errno != EINTR)
      throw Error(ErrorKind::kInternal, failed + ": its output cannot be waited for");
    for (const Cancellation* cancellation : cancellations) cancellation->ThrowIfCancelled();
    if (end.IsCancelled())
      throw Error(ErrorKind::kUnavailable, failed + ": it took too long", {}, kProcessHint);
    if (ready < 0 || waiting[0].revents == 0) continue;
    char chunk[4096];
    const ssize_t got = read(fd, chunk, sizeof chunk);
    if (got == 0) return output;
    if (got < 0 && errno != EINTR)
      throw Error(ErrorKind::kInternal, failed + ": its output cannot be read");
    if (got > 0) output.append(chunk, static_cast<size_t>(got));
    if (output.size() > kLongestOutput)
      throw Error(ErrorKind::kInvalid, failed + ": it wrote too much", {}, kProcessHint);
  }
}

ExitStatus AwaitExit(ChildProcess* child, const std::string& failed) {
  const Deadline deadline(kTimeToExit);
  try {
    return child->Wait(deadline.cancellation());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) throw;
    throw Error(ErrorKind::kUnavailable, failed + ": it does not end", {}, kProcessHint);
  }
}

ChildSpec SpecOf(std::vector<std::string> words, const Environment& environment) {
  const Programs programs = MakePrograms({}, environment);
  ChildSpec spec;
  spec.program = words.front();
  try {
    if (spec.program.find('/') == std::string::npos)
      spec.program = FindProgram(programs, spec.program);
  } catch (const Error&) {
    throw Error(ErrorKind::kNotFound,
                "credential_process \"" + spec.program + "\" is not in the PATH", {},
                "Write its full path into the profile.");
  }
  words.erase(words.begin());
  spec.arguments = std::move(words);
  spec.environment = {programs.environment.front(), "LANG=C", "LC_ALL=C"};  // the first is PATH
  for (const char* name : kPassedOn)
    if (const auto value = environment.Variable(name))
      spec.environment.push_back(std::string(name) + "=" + *value);
  spec.pipe_output = true;
  return spec;
}

}  // namespace

std::vector<std::string> SplitCommand(const std::string& command) {
  std::vector<std::string> words;
  bool inside = false;  // a word
  char quote = '\0';
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    const char next = i + 1 < command.size() ? command[i + 1] : '\0';
    if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (quote == '"' && c == '\\' && (next == '"' || next == '\\')) {
      words.back() += next;
      ++i;
    } else {
      words.back() += c;
    }
  }
  if (quote != '\0')
    throw Error(ErrorKind::kInvalid, "credential_process has a quote that does not end");
  return words;
}

Credentials RunCredentialProcess(const std::string& command, const Environment& environment,
                                 std::chrono::milliseconds timeout,
                                 const Cancellations& cancellations) {
  std::vector<std::string> words = SplitCommand(command);
  if (words.empty() || words.front().empty())
    throw Error(ErrorKind::kInvalid, "credential_process is empty");
  const std::string source = "credential_process \"" + words.front() + "\"";
  const std::string failed = source + " failed";
  const ChildSpec spec = SpecOf(std::move(words), environment);
  std::optional<ChildProcess> child;
  try {
    child.emplace(spec);
  } catch (const Error& error) {
    throw Error(error.kind(), failed + ": it cannot be started", error.message(), kProcessHint);
  }
  const Deadline deadline(timeout);
  const std::string output =
      ReadOutput(child->output(), failed, deadline.cancellation(), cancellations);
  const ExitStatus status = AwaitExit(&*child, failed);
  if (!status.Succeeded())
    throw Error(ErrorKind::kDenied, failed + ": it " + status.InWords(), {}, kProcessHint);
  const boost::json::object object = ParseJsonObject(output, "the answer of " + source);
  if (JsonReader(object, "the answer of " + source).Integer("Version") != 1)
    throw Error(ErrorKind::kInvalid, "the answer of " + source + " is not of version 1");
  return ParseCredentialsJson(output, source);
}

}  // namespace pgbackup
