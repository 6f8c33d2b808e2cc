// Reading and writing manifests in a storage.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/manifest/manifest.h"
#include "core/manifest/manifest_key.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The manifest's bytes; kNotFound when `folder` holds no backup.
std::string ReadManifestText(Storage& storage, const std::string& folder);

// What ReadManifestText has brought from `folder`, parsed. It is believed when it has `checksum`
// (SHA-256 in hexadecimal; kCorrupt when another), which a catalog keeps. Without one, its MAC is
// checked as `keys` ask for (CheckManifestMac). kCorrupt, too, when it is the manifest of a backup
// in another folder; the folders above may have changed.
Manifest CheckedManifest(const std::string& text, const Storage& storage, const std::string& folder,
                         const std::optional<std::string>& checksum,
                         const ManifestKeySettings& keys);

// Reads, and checks in the same manner.
Manifest ReadManifest(Storage& storage, const std::string& folder,
                      const std::optional<std::string>& checksum, const ManifestKeySettings& keys);

// Whether one of two folders is the other one seen from further up, as when a storage's prefix was
// moved or copied elsewhere.
bool IsSameFolder(std::string_view one, std::string_view other);

// Throws kAlreadyExists, saying that `folder` holds another backup.
[[noreturn]] void ThrowBackupExists(const Storage& storage, const std::string& folder);

// Stores the manifest of a finished backup: from then on the backup exists. kAlreadyExists when
// another run has stored one there meanwhile.
void StoreManifest(Storage& storage, const std::string& folder, const std::string& text);

}  // namespace pgbackup
