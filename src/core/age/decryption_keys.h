// What opens encrypted objects: identities, or a passphrase.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/age/header.h"

namespace pgbackup {

class DecryptionKeys {
 public:
  // `source` is how messages call them, `audience` is a whole sentence that says for whom the
  // backup was encrypted.
  DecryptionKeys(std::vector<SymmetricKey> identities, std::optional<SecretText> passphrase,
                 std::string source, std::string audience)
      : identities_(std::move(identities)),
        passphrase_(std::move(passphrase)),
        source_(std::move(source)),
        audience_(std::move(audience)) {}

  // The file key of object `name`, whose header this is; its MAC is checked. kDenied when none
  // of these keys opens it; kCorrupt when the header is not as it must be. May be called by several
  // threads; one derivation of a passphrase at a time, because of the memory it takes.
  FileKey Unwrap(const AgeHeader& header, std::string_view name) const;

 private:
  std::optional<FileKey> Find(const AgeHeader& header, std::string_view name) const;
  std::optional<FileKey> FindIn(const Stanza& stanza, std::string_view name) const;

  const std::vector<SymmetricKey> identities_;
  const std::optional<SecretText> passphrase_;
  const std::string source_, audience_;
  mutable std::mutex deriving_;
};

}  // namespace pgbackup
