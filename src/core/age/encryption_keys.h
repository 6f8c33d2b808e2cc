// To whom a backup is encrypted: X25519 recipients, or whoever knows a passphrase.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/age/encryption.h"
#include "core/age/header.h"
#include "core/base/environment.h"

namespace pgbackup {

class EncryptionKeys {
 public:
  // `list` as in pgbackup.encryption_recipients; kInvalid, naming the item that is no recipient.
  static EncryptionKeys ForRecipients(std::string_view list);
  static EncryptionKeys ForPassphrase(SecretText passphrase);

  // `work_factor`: binary logarithm of scrypt's N.
  static constexpr int kWorkFactor = 18;
  static EncryptionKeys ForPassphrase(SecretText passphrase, int work_factor);

  // Wraps a file key for all of them. May be called by several threads; one derivation of a
  // passphrase at a time, because each takes 256 MiB of memory.
  std::vector<Stanza> Wrap(const FileKey& key, Environment& environment) const;

  std::string_view scheme() const noexcept {
    return passphrase_ ? kPassphraseScheme : kRecipientsScheme;
  }
  // As text; none with a passphrase.
  const std::vector<std::string>& recipients() const noexcept { return recipients_; }

 private:
  EncryptionKeys() = default;

  std::vector<std::string> recipients_;
  std::vector<X25519Share> shares_;
  std::optional<SecretText> passphrase_;
  int work_factor_ = kWorkFactor;
  std::unique_ptr<std::mutex> deriving_ = std::make_unique<std::mutex>();
};

}  // namespace pgbackup
