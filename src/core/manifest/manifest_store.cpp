#include "core/manifest/manifest_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest_mac.h"
#include "core/pipeline/buffer_sink.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxManifestSize = 64 << 20;

}  // namespace

bool IsSameFolder(std::string_view one, std::string_view other) {
  if (one.size() < other.size()) std::swap(one, other);
  return one == other || one.substr(one.size() - std::min(one.size(), other.size() + 1)) ==
                             fmt::format("/{}", other);
}

void ThrowBackupExists(const Storage& storage, const std::string& folder) {
  throw Error(ErrorKind::kAlreadyExists,
              fmt::format("there is a backup at \"{}/{}\" already", storage.url(), folder),
              "It was left untouched.",
              "Let pgbackup.name_template hold {instance} and {id}, so that every run of every "
              "server has a folder of its own.");
}

std::string ReadManifestText(Storage& storage, const std::string& folder) {
  BufferSink buffer(kMaxManifestSize, "the manifest");
  try {
    storage.Get(ManifestObjectName(folder), buffer);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    throw Error(ErrorKind::kNotFound,
                fmt::format("there is no backup at \"{}/{}\"", storage.url(), folder),
                fmt::format("{} is missing there.", kManifestName));
  }
  return buffer.text();
}

Manifest CheckedManifest(const std::string& text, const Storage& storage, const std::string& folder,
                         const std::optional<std::string>& checksum,
                         const ManifestKeySettings& keys) {
  const std::string actual = ToHex(Sha256::Of(text));
  if (checksum && actual != *checksum)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the manifest of \"{}/{}\" is not the one that was stored",
                            storage.url(), folder),
                fmt::format("Its SHA-256 is {}, the catalog says {}.", actual, *checksum));
  if (!checksum && !keys.file.empty()) {
    const ManifestKeys opened(keys.file);
    CheckManifestMac(text, &opened, keys.allow_unsigned,
                     fmt::format("{}/{}", storage.url(), folder));
  }
  Manifest manifest = ParseManifest(text);
  if (!IsSameFolder(manifest.file_name, folder))
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("the manifest in \"{}/{}\" is that of another backup", storage.url(), folder),
        fmt::format("It names the backup \"{}\".", manifest.file_name),
        "Use another backup, and find out what changed the stored objects.");
  return manifest;
}

Manifest ReadManifest(Storage& storage, const std::string& folder,
                      const std::optional<std::string>& checksum, const ManifestKeySettings& keys) {
  return CheckedManifest(ReadManifestText(storage, folder), storage, folder, checksum, keys);
}

void StoreManifest(Storage& storage, const std::string& folder, const std::string& text) {
  PutOptions options;
  options.if_absent = true;
  options.content_type = "application/json";
  try {
    const std::unique_ptr<Sink> sink = storage.Put(ManifestObjectName(folder), options);
    sink->Write(AsBytes(text));
    sink->Finish();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kAlreadyExists) throw;
    // A repeated request whose first answer got lost meets its own object.
    if (ReadManifestText(storage, folder) != text) ThrowBackupExists(storage, folder);
  }
}

}  // namespace pgbackup
