#include "cli/encryption_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include "shared/recipient_list.h"

namespace pgbackup {
namespace {

constexpr const char* kEncryptionGroup = "Encryption";

}  // namespace

void EncryptionOptions::AddPassphraseTo(CLI::App& command, const char* description) {
  command.add_option("--passphrase-file", passphrase_file_, description)
      ->type_name("FILE")
      ->group(kEncryptionGroup);
}

void EncryptionOptions::AddReadingTo(CLI::App& command) {
  command
      .add_option("-i,--identity,--identity-file", identity_file_,
                  "Secret keys that decrypt the backup, as keygen or age-keygen writes them")
      ->type_name("FILE")
      ->envname("PGBACKUP_IDENTITY")
      ->group(kEncryptionGroup);
  AddPassphraseTo(command, "The passphrase of a backup that was encrypted with one");
}

void EncryptionOptions::AddWritingTo(CLI::App& command) {
  command
      .add_option("-r,--recipient", recipients_,
                  "Public key (age1...) to encrypt for; may be repeated")
      ->type_name("KEY")
      ->expected(1)
      ->take_all()
      ->check(CLI::Validator(
          [](std::string& text) {
            return IsRecipient(text) ? std::string() : "\"" + text + "\" is not an age recipient";
          },
          ""))
      ->group(kEncryptionGroup);
  AddPassphraseTo(command, "Encrypt with the passphrase in the file, without recipients");
}

EncryptionSettings EncryptionOptions::settings() const {
  return {fmt::format("{}", fmt::join(recipients_, ",")), identity_file_, passphrase_file_};
}

}  // namespace pgbackup
