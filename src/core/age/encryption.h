// How backups are encrypted: what the settings say, and what a manifest says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

class DecryptionKeys;
class EncryptionKeys;

// pgbackup.encryption_recipients, identity_file and passphrase_file; empty when not set.
struct EncryptionSettings {
  std::string recipients, identity_file, passphrase_file;
};

// The schemes, as the manifest calls them.
inline constexpr std::string_view kRecipientsScheme = "age-x25519";
inline constexpr std::string_view kPassphraseScheme = "age-scrypt";

// How a backup was encrypted.
struct Encryption {
  std::string scheme;
  std::vector<std::string> recipients;  // none for a passphrase
};

}  // namespace pgbackup
