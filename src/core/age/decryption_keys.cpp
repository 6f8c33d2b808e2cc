#include "core/age/decryption_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/age/key_wrap.h"
#include "core/base/error.h"

namespace pgbackup {

FileKey DecryptionKeys::Unwrap(const AgeHeader& header, std::string_view name) const {
  const auto is_scrypt = [](const Stanza& stanza) { return stanza.type == kScryptType; };
  // Whoever is given a passphrase to read a file must be sure that nobody else can write to it.
  if (header.stanzas.size() > 1 &&
      std::any_of(header.stanzas.begin(), header.stanzas.end(), is_scrypt))
    ThrowBadHeader(name);
  const std::optional<FileKey> key = Find(header, name);
  if (!key)
    throw Error(ErrorKind::kDenied,
                fmt::format("object \"{}\" cannot be decrypted with {}", name, source_), audience_,
                "Use the one that was in force when the backup was made.");
  CheckHeaderMac(header, *key, name);
  return *key;
}

std::optional<FileKey> DecryptionKeys::Find(const AgeHeader& header, std::string_view name) const {
  std::optional<FileKey> found;
  // All of them, found or not: each has to be as it must be.
  for (const Stanza& stanza : header.stanzas)
    if (const std::optional<FileKey> key = FindIn(stanza, name); key && !found) found.emplace(*key);
  return found;
}

std::optional<FileKey> DecryptionKeys::FindIn(const Stanza& stanza, std::string_view name) const {
  if (stanza.type == kScryptType && passphrase_) {
    const std::lock_guard lock(deriving_);
    return UnwrapScrypt(stanza, passphrase_->view(), name);
  }
  if (stanza.type == kX25519Type)
    for (const SymmetricKey& identity : identities_)
      if (std::optional<FileKey> key = UnwrapX25519(stanza, identity, name)) return key;
  return std::nullopt;
}

}  // namespace pgbackup
