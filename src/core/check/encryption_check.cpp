#include "core/check/encryption_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/age/age_decrypt_sink.h"
#include "core/age/age_encrypt_sink.h"
#include "core/age/key_files.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"

namespace pgbackup {
namespace {

constexpr size_t kLargestTry = 1 << 20;
constexpr std::string_view kTryText = "pgbackup check";

// What the next sink would get.
std::string Encrypted(const EncryptionKeys& keys, Environment& environment) {
  auto buffer = std::make_unique<BufferSink>(kLargestTry, "the encrypted text");
  const BufferSink& sealed = *buffer;
  AgeEncryptSink sink(std::move(buffer), keys, environment);
  sink.Write(AsBytes(kTryText));
  sink.Finish();
  return sealed.text();
}

void Decrypt(const std::string& sealed, const DecryptionKeys& keys) {
  AgeDecryptSink sink(std::make_unique<BufferSink>(kLargestTry, "the decrypted text"), "check.age",
                      keys);
  sink.Write(AsBytes(sealed));
  sink.Finish();
}

}  // namespace

ProbeFinding TryEncryption(const EncryptionSettings& settings, Environment& environment) {
  const std::unique_ptr<EncryptionKeys> keys = OpenEncryptionKeys(settings);
  if (!keys) {
    if (!settings.identity_file.empty()) ReadIdentityFile(settings.identity_file);
    return {ProbeStatus::kWarning, "new backups are not encrypted",
            "Set pgbackup.encryption_recipients; the identity file alone only reads backups."};
  }
  const std::string sealed = Encrypted(*keys, environment);
  const Encryption encryption{std::string(keys->scheme()), keys->recipients()};
  const std::string how = keys->recipients().empty()
                              ? "with a passphrase"
                              : fmt::format("for {}", fmt::join(keys->recipients(), ", "));
  if (encryption.scheme == kRecipientsScheme && settings.identity_file.empty())
    return fmt::format("{}; no identity here can decrypt it", how);
  const std::unique_ptr<DecryptionKeys> opening = OpenDecryptionKeys(settings, encryption);
  try {
    Decrypt(sealed, *opening);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied) throw;
    return {ProbeStatus::kError,
            fmt::format("{}, which pgbackup.identity_file cannot decrypt", how),
            "Put the identity of one of the recipients into the file, or leave the setting empty "
            "where only backups are made."};
  }
  return fmt::format("{}, which can be decrypted here", how);
}

}  // namespace pgbackup
