#include "core/process/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "core/base/error.h"
#include "core/pipeline/buffer_sink.h"
#include "core/pipeline/pump.h"
#include "core/postgres/server_address.h"
#include "core/process/child_process.h"

namespace pgbackup {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

constexpr const char* kBinDirectoryHint =
    "Set pgbackup.bin_directory to the folder of PostgreSQL's own programs, as \"pg_config "
    "--bindir\" names it.";

}  // namespace

Programs MakePrograms(const std::string& directory, const Environment& environment) {
  Programs programs;
  programs.directory = directory;
  programs.environment = {
      fmt::format("PATH={}", environment.Variable("PATH").value_or(std::string(kDefaultPath))),
      "LANG=C", "LC_ALL=C", "PGAPPNAME=pgbackup"};
  std::vector<std::string> names = ConnectionVariables();
  names.emplace_back("HOME");
  for (const std::string& name : names)
    if (const auto value = environment.Variable(name))
      programs.environment.push_back(fmt::format("{}={}", name, *value));
  return programs;
}

std::string FindProgram(const Programs& programs, const std::string& name) {
  if (!programs.directory.empty()) return fmt::format("{}/{}", programs.directory, name);
  std::string_view path = std::string_view(programs.environment.front()).substr(5);  // "PATH="
  while (!path.empty()) {
    const size_t colon = path.find(':');
    std::string candidate = fmt::format("{}/{}", path.substr(0, colon), name);
    if (candidate.front() == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
  }
  throw Error(ErrorKind::kNotFound, fmt::format("program \"{}\" is not in the PATH", name), "",
              kBinDirectoryHint);
}

ProgramVersion ParseProgramVersion(std::string_view output) {
  constexpr std::string_view kMarker = "(PostgreSQL) ";
  ProgramVersion version;
  const size_t marker = output.find(kMarker);
  if (marker != std::string_view::npos) {
    const std::string_view rest = output.substr(marker + kMarker.size());
    version.text = rest.substr(0, rest.find_first_of(" \r\n"));
    std::from_chars(version.text.data(), version.text.data() + version.text.size(), version.major);
  }
  if (version.major <= 0)
    throw Error(ErrorKind::kTool, "could not tell a program's version",
                fmt::format("Its --version says: {}.", output.substr(0, output.find('\n'))));
  return version;
}

ProgramVersion AskProgramVersion(const Programs& programs, const std::string& name,
                                 const Cancellation& cancellation) {
  ChildSpec spec;
  spec.program = FindProgram(programs, name);
  spec.arguments = {"--version"};
  spec.environment = programs.environment;
  spec.pipe_output = true;
  ChildProcess child(spec);
  BufferSink output(64 << 10, "the output of --version");
  Pump(child.output(), output, cancellation);
  const ExitStatus status = child.Wait(cancellation);
  if (!status.Succeeded())
    throw Error(ErrorKind::kTool,
                fmt::format("\"{} --version\" {}", spec.program, status.InWords()),
                child.ErrorTail(), kBinDirectoryHint);
  return ParseProgramVersion(output.text());
}

void CheckProgramVersion(const std::string& name, const ProgramVersion& version, int major,
                         std::string_view what) {
  if (version.major >= major) return;
  throw Error(
      ErrorKind::kInvalid,
      fmt::format("{} {} is older than {}, which is version {}", name, version.text, what, major),
      fmt::format("{} cannot handle what a newer version made.", name),
      fmt::format("Install the PostgreSQL {} client programs and set "
                  "pgbackup.bin_directory to their folder.",
                  major));
}

}  // namespace pgbackup
