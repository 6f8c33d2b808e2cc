#include "core/age/encryption_keys.h"

#include <fmt/format.h>

#include "core/age/key_wrap.h"
#include "core/base/error.h"
#include "shared/bech32.h"
#include "shared/recipient_list.h"

namespace pgbackup {
namespace {

Error NoRecipient(std::string_view text) {
  return {ErrorKind::kInvalid, fmt::format("\"{}\" is not an age recipient", text), "",
          "A recipient begins with \"age1\"; pgbackup keygen and age-keygen print it."};
}

}  // namespace

EncryptionKeys EncryptionKeys::ForRecipients(std::string_view list) {
  EncryptionKeys keys;
  std::string_view rest = list;
  for (std::string_view text; NextRecipient(&rest, &text);) {
    X25519Share share;
    if (!KeyFromBech32(text, kRecipientPrefix, share)) throw NoRecipient(text);
    keys.recipients_.emplace_back(text);
    keys.shares_.push_back(share);
  }
  if (keys.shares_.empty()) throw NoRecipient("");
  return keys;
}

EncryptionKeys EncryptionKeys::ForPassphrase(SecretText passphrase) {
  return ForPassphrase(std::move(passphrase), kWorkFactor);
}

EncryptionKeys EncryptionKeys::ForPassphrase(SecretText passphrase, int work_factor) {
  EncryptionKeys keys;
  keys.passphrase_.emplace(std::move(passphrase));
  keys.work_factor_ = work_factor;
  return keys;
}

std::vector<Stanza> EncryptionKeys::Wrap(const FileKey& key, Environment& environment) const {
  std::vector<Stanza> stanzas;
  if (passphrase_) {
    const std::lock_guard lock(*deriving_);
    stanzas.push_back(WrapForPassphrase(key, passphrase_->view(), work_factor_, environment));
  }
  for (size_t i = 0; i < shares_.size(); ++i) {
    std::optional<Stanza> stanza = WrapForShare(key, shares_[i], environment);
    if (!stanza) throw NoRecipient(recipients_[i]);
    stanzas.push_back(std::move(*stanza));
  }
  return stanzas;
}

}  // namespace pgbackup
