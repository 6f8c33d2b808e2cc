// contents.json.zst.age: the whole manifest of an encrypted backup, encrypted like everything else.
// manifest.json beside it says only what may be known to whoever sees the storage.
#pragma once

#include <string>

#include "core/age/encryption.h"
#include "core/manifest/manifest.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The text of the object: the manifest as it stands, without that object.
std::string ContentsText(const Manifest& manifest);

// Makes *manifest, as ReadManifest gives it, whole, and its objects ready to be read. Nothing
// happens to that of a backup in clear. Throws when no key opens it (OpenDecryptionKeys,
// AgeDecryptSink), and kCorrupt for contents of another backup.
void OpenEncryptedBackup(Storage& storage, const std::string& folder,
                         const EncryptionSettings& settings, Progress& progress,
                         Manifest* manifest);

}  // namespace pgbackup
