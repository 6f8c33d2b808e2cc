// pgbackup keygen: makes a key to encrypt backups for.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <system_error>

#include "agent/cli/command.h"
#include "agent/cli/console.h"
#include "agent/cli/exit_status.h"
#include "core/age/key_files.h"
#include "core/base/unique_fd.h"

namespace pgbackup {
namespace {

Error CannotWrite(const std::string& path) {
  return {ErrorKind::kDenied, fmt::format("could not write the identity file \"{}\": {}", path,
                                          std::generic_category().message(errno))};
}

void WriteNewFile(const std::string& path, const std::string& text) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file && errno == EEXIST)
    throw Error(ErrorKind::kAlreadyExists, fmt::format("file \"{}\" exists", path),
                "It may hold a key that backups need, so it is left as it is.", "Name a new file.");
  if (!file) throw CannotWrite(path);
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0) {
    const Error error = CannotWrite(path);
    unlink(path.c_str());
    throw error;
  }
}

int RunKeygen(const std::string& path, const CLI::App& command) {
  try {
    const NewIdentity made = MakeIdentity(*SystemEnvironment());
    if (path.empty()) {
      PrintLine(made.file.substr(0, made.file.size() - 1));
      PrintRemark(fmt::format("public key: {}", made.recipient));
    } else {
      WriteNewFile(path, made.file);
      PrintLine(made.recipient);
    }
    return kExitDone;
  } catch (const Error& error) {
    ReportError(error, command);
    return kExitFailed;
  }
}

}  // namespace

Command AddKeygenCommand(CLI::App& root) {
  CLI::App* app = root.add_subcommand("keygen", "Make a key to encrypt backups for");
  const auto path = std::make_shared<std::string>();
  app->add_option("-o,--output", *path,
                  "New file for the secret key, readable by nobody else; else it is printed")
      ->type_name("FILE");
  app->footer(
      "\nWith -o, the public key is printed: a value for pgbackup.encryption_recipients or "
      "--recipient. The\n"
      "file decrypts what is encrypted for it. Keep it where the server is not, and keep it twice: "
      "without\n"
      "it nobody can read the backups.");
  return {app, [path, app] { return RunKeygen(*path, *app); }};
}

}  // namespace pgbackup
