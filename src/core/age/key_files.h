// The files with identities and passphrases, and what the settings make of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/age/decryption_keys.h"
#include "core/age/encryption.h"
#include "core/age/encryption_keys.h"
#include "core/base/environment.h"

namespace pgbackup {

// What new backups are encrypted with: the recipients, else the passphrase; null for neither.
std::unique_ptr<EncryptionKeys> OpenEncryptionKeys(const EncryptionSettings& settings);

// What opens a backup that was encrypted so. kInvalid when the setting for it is empty.
std::unique_ptr<DecryptionKeys> OpenDecryptionKeys(const EncryptionSettings& settings,
                                                   const Encryption& encryption);

// Every identity of a file as age-keygen writes it: one a line, comments begin with "#". Throws
// when it cannot be read (kDenied, kNotFound), others may read it (kDenied), or it holds anything
// else or no identity (kInvalid).
std::vector<SymmetricKey> ReadIdentityFile(const std::string& path);

// The first line of a file that nobody else may read.
SecretText ReadPassphraseFile(const std::string& path);

// What `pgbackup keygen` writes.
struct NewIdentity {
  std::string file;       // the text of an identity file
  std::string recipient;  // "age1…"
};
NewIdentity MakeIdentity(Environment& environment);

}  // namespace pgbackup
