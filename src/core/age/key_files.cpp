#include "core/age/key_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>

#include "core/base/config_lines.h"
#include "core/base/error.h"
#include "core/base/small_file.h"
#include "core/base/timestamp.h"
#include "shared/bech32.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

// A file with a secret; its text is wiped.
class SecretFile {
 public:
  // `what` it is, and the setting that names it.
  SecretFile(const std::string& path, const char* what, const char* setting)
      : failed_(fmt::format("could not read the {} \"{}\"", what, path)) {
    file_ = ReadPrivateFile(path, failed_, setting);
  }
  ~SecretFile() { OPENSSL_cleanse(file_.text.data(), file_.text.size()); }
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;

  std::string_view text() const noexcept { return file_.text; }
  const std::string& failed() const noexcept { return failed_; }

 private:
  const std::string failed_;
  SmallFile file_;
};

std::string AudienceOf(const Encryption& encryption) {
  if (encryption.scheme == kPassphraseScheme) return "The backup was encrypted with a passphrase.";
  return fmt::format("The backup was encrypted for {}.", fmt::join(encryption.recipients, ", "));
}

// Names the setting that is missing.
void NeedFile(const std::string& path, const char* what, const char* setting,
              const Encryption& encryption) {
  if (!path.empty()) return;
  throw Error(ErrorKind::kInvalid, fmt::format("the backup is encrypted and no {} is given", what),
              AudienceOf(encryption), fmt::format("Set {} to the file with it.", setting));
}

}  // namespace

std::vector<SymmetricKey> ReadIdentityFile(const std::string& path) {
  const SecretFile file(path, "identity file", "pgbackup.identity_file");
  std::vector<SymmetricKey> identities;
  ConfigLines lines(file.text());
  for (std::string_view line; lines.Next(&line);) {
    SymmetricKey key;
    if (!KeyFromBech32(line, kIdentityPrefix,
                       std::span<std::byte, SymmetricKey::size()>(key.data(), key.size())))
      throw Error(ErrorKind::kInvalid,
                  fmt::format("{}: line {} is not an identity", file.failed(), lines.number()),
                  fmt::format("An identity is a line that begins with \"{}1\".", kIdentityPrefix),
                  "pgbackup keygen and age-keygen make such files.");
    identities.push_back(key);
  }
  if (identities.empty())
    throw Error(ErrorKind::kInvalid, file.failed() + ": it holds no identity",
                fmt::format("An identity is a line that begins with \"{}1\".", kIdentityPrefix),
                "pgbackup keygen and age-keygen make such files.");
  return identities;
}

SecretText ReadPassphraseFile(const std::string& path) {
  const SecretFile file(path, "passphrase file", "pgbackup.passphrase_file");
  std::string_view line = file.text().substr(0, file.text().find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty())
    throw Error(ErrorKind::kInvalid, file.failed() + ": it holds no passphrase",
                "The passphrase is the first line of the file.", "Write one into it.");
  return SecretText(line);
}

std::unique_ptr<EncryptionKeys> OpenEncryptionKeys(const EncryptionSettings& settings) {
  if (!TrimBlanks(settings.recipients).empty())
    return std::make_unique<EncryptionKeys>(EncryptionKeys::ForRecipients(settings.recipients));
  if (!settings.passphrase_file.empty())
    return std::make_unique<EncryptionKeys>(
        EncryptionKeys::ForPassphrase(ReadPassphraseFile(settings.passphrase_file)));
  return nullptr;
}

std::unique_ptr<DecryptionKeys> OpenDecryptionKeys(const EncryptionSettings& settings,
                                                   const Encryption& encryption) {
  if (encryption.scheme == kPassphraseScheme) {
    NeedFile(settings.passphrase_file, "passphrase", "pgbackup.passphrase_file", encryption);
    return std::make_unique<DecryptionKeys>(
        std::vector<SymmetricKey>{}, ReadPassphraseFile(settings.passphrase_file),
        fmt::format("the passphrase in \"{}\"", settings.passphrase_file), AudienceOf(encryption));
  }
  NeedFile(settings.identity_file, "identity", "pgbackup.identity_file", encryption);
  return std::make_unique<DecryptionKeys>(
      ReadIdentityFile(settings.identity_file), std::nullopt,
      fmt::format("the identities in \"{}\"", settings.identity_file), AudienceOf(encryption));
}

NewIdentity MakeIdentity(Environment& environment) {
  SymmetricKey scalar;
  environment.FillRandom(scalar);
  const std::span<const std::byte, SymmetricKey::size()> bytes(scalar.data(), scalar.size());
  NewIdentity made;
  made.recipient = KeyToBech32(X25519Public(scalar), kRecipientPrefix).view();
  made.file =
      fmt::format("# created: {}\n# public key: {}\n{}\n", FormatTimestamp(environment.Now()),
                  made.recipient, KeyToBech32(bytes, kIdentityPrefix).view());
  return made;
}

}  // namespace pgbackup
