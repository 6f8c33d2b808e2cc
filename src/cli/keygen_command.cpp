// pgbackup keygen: makes a key to encrypt backups for.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <system_error>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "core/age/key_files.h"
#include "core/base/unique_fd.h"
#include "core/manifest/manifest_mac.h"

namespace pgbackup {
namespace {

Error CannotWrite(const std::string& path) {
  return {ErrorKind::kDenied, fmt::format("could not write the key file \"{}\": {}", path,
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

struct KeygenOptions {
  std::string path;
  bool manifest_key = false;
};

void MakeManifestKeyFile(const std::string& path) {
  const std::string file = MakeManifestKey(*SystemEnvironment());
  if (path.empty())
    PrintText(file);
  else
    WriteNewFile(path, file);
}

void MakeIdentityFile(const std::string& path) {
  const NewIdentity made = MakeIdentity(*SystemEnvironment());
  if (path.empty()) {
    PrintText(made.file);
    PrintRemark(fmt::format("public key: {}", made.recipient));
  } else {
    WriteNewFile(path, made.file);
    PrintLine(made.recipient);
  }
}

int RunKeygen(const KeygenOptions& options, const CLI::App& command) {
  try {
    if (options.manifest_key)
      MakeManifestKeyFile(options.path);
    else
      MakeIdentityFile(options.path);
    return kExitDone;
  } catch (const Error& error) {
    ReportError(error, command);
    return kExitFailed;
  }
}

}  // namespace

Command AddKeygenCommand(CLI::App& root) {
  CLI::App* app =
      root.add_subcommand("keygen", "Make a key to encrypt backups for, or to sign manifests with");
  const auto options = std::make_shared<KeygenOptions>();
  app->add_option("-o,--output", options->path,
                  "New file for the secret key, readable by nobody else; else it is printed")
      ->type_name("FILE");
  app->add_flag("--manifest-key", options->manifest_key,
                "Make a key for pgbackup.manifest_key_file and --manifest-key-file");
  app->footer(
      "\nWith -o, the public key is printed: a value for pgbackup.encryption_recipients or "
      "--recipient. The\n"
      "file decrypts what is encrypted for it. Keep it where the server is not, and keep it twice: "
      "without\n"
      "it nobody can read the backups.\n"
      "\n"
      "With --manifest-key, every server and machine that makes or checks backups needs the same "
      "file.");
  return {app, [options, app] { return RunKeygen(*options, *app); }};
}

}  // namespace pgbackup
