// Who wrote a manifest: a keyed MAC at its end.
//
// A manifest names every object of its backup with its SHA-256, so whoever can show that the
// manifest is ours has shown it of the whole backup. It also holds the name of its folder and the
// system identifier of its cluster, so a signed one is worth nothing elsewhere. The MAC is
// HMAC-SHA256 over all that precedes the manifest's last kMacSize bytes (docs/storage-format.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/age/secret.h"
#include "core/base/environment.h"
#include "core/manifest/manifest_key.h"

namespace pgbackup {

// The keys of a file: one on each line, 32 bytes in hexadecimal or base64; comments begin with "#".
class ManifestKeys {
 public:
  // Throws when the file cannot be read (kDenied, kNotFound), others may read it (kDenied), or it
  // holds anything but keys, or none (kInvalid).
  explicit ManifestKeys(const std::string& path);

  // A manifest, which ends with "}\n" and has no MAC, with that of the first key.
  std::string Signed(const std::string& manifest) const;

  enum class Finding { kUnsigned, kOurs, kWrong };
  // kOurs: one of the keys made its MAC.
  Finding Check(std::string_view manifest) const;

  size_t size() const noexcept { return keys_.size(); }

 private:
  std::vector<SymmetricKey> keys_;
};

// Of a manifest that is read from a storage and that no checksum of the catalog vouches for. Throws
// kDenied when it has no MAC, which `settings` may allow, and kCorrupt when it has another one.
// `where` names the folder. Null keys: nothing is checked.
void CheckManifestMac(std::string_view manifest, const ManifestKeys* keys, bool allow_unsigned,
                      const std::string& where);

// The text of a new key file.
std::string MakeManifestKey(Environment& environment);

}  // namespace pgbackup
