// pgbackup hash-passkey: the hash of a passkey, for pgbackup.restore_passkey.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <iostream>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "core/age/secret.h"
#include "core/passkey/passkey.h"

namespace pgbackup {
namespace {

constexpr size_t kLongestPasskey = 1000;

// Shows nothing of what is typed.
SecretText Typed(const char* prompt) {
  SecretArray<kLongestPasskey + 1> buffer;
  char* const text = reinterpret_cast<char*>(buffer.data());
  const int result =
      EVP_read_pw_string(text, static_cast<int>(kLongestPasskey), prompt, /*verify=*/0);
  if (result == -2) throw Error(ErrorKind::kCancelled, "interrupted");
  if (result != 0)
    throw Error(ErrorKind::kInvalid, "could not read a passkey from the terminal", "",
                "Type one line; or give it on standard input: pgbackup hash-passkey <FILE");
  return SecretText(text);
}

SecretText TypedTwice() {
  SecretText passkey = Typed("Passkey: ");
  if (Typed("The same again: ").view() != passkey.view())
    throw Error(ErrorKind::kInvalid, "the two passkeys are not the same", "", "Try again.");
  return passkey;
}

SecretText FromStandardInput() {
  std::string line;
  if (!std::getline(std::cin, line))
    throw Error(ErrorKind::kInvalid, "there is no passkey on standard input", "",
                "Give one line, or call the command on a terminal.");
  if (!line.empty() && line.back() == '\r') line.pop_back();
  SecretText passkey(line);
  OPENSSL_cleanse(line.data(), line.size());
  return passkey;
}

int RunHashPasskey(const CLI::App& command) {
  try {
    const SecretText passkey = isatty(STDIN_FILENO) != 0 ? TypedTwice() : FromStandardInput();
    PrintLine(fmt::format("pgbackup.restore_passkey = '{}'",
                          HashPasskey(passkey.view(), *SystemEnvironment())));
    return kExitDone;
  } catch (const Error& error) {
    ReportError(error, command);
    return error.kind() == ErrorKind::kCancelled ? kExitInterrupted : kExitFailed;
  }
}

}  // namespace

Command AddHashPasskeyCommand(CLI::App& root) {
  CLI::App* app =
      root.add_subcommand("hash-passkey", "Make the hash of a passkey, for the server's settings");
  app->footer(
      "\nReads the passkey twice from the terminal, which does not show it, or else one line from "
      "standard\n"
      "input. Prints the line for postgresql.conf. With it, a restore that replaces a database "
      "takes the\n"
      "passkey: SELECT pgbackup.restore(17, 'shop', replace => true, passkey => '...').");
  return {app, [app] { return RunHashPasskey(*app); }};
}

}  // namespace pgbackup
