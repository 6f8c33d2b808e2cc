#include "core/manifest/encrypted_contents.h"

#include <algorithm>

#include "core/age/key_files.h"
#include "core/manifest/stored_object.h"
#include "core/pipeline/buffer_sink.h"
#include "core/pipeline/damaged_object.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxContentsSize = 256 << 20;

// Whether both list the same stored bytes.
bool HaveSameObjects(const Manifest& whole, const Manifest& stored) {
  if (whole.objects.size() + 1 != stored.objects.size()) return false;
  for (size_t i = 0; i < whole.objects.size(); ++i)
    if (whole.objects[i].name != stored.objects[i].name ||
        whole.objects[i].segments != stored.objects[i].segments)
      return false;
  return true;
}

}  // namespace

std::string ContentsText(const Manifest& manifest) {
  return boost::json::serialize(ManifestToJson(manifest)) + "\n";
}

void OpenEncryptedBackup(Storage& storage, const std::string& folder,
                         const EncryptionSettings& settings, Progress& progress,
                         Manifest* manifest) {
  if (!manifest->encryption) return;
  const std::shared_ptr<const DecryptionKeys> keys =
      OpenDecryptionKeys(settings, *manifest->encryption);
  const auto found = std::find_if(
      manifest->objects.begin(), manifest->objects.end(),
      [](const ManifestObject& object) { return object.kind == ObjectKind::kContents; });
  if (found == manifest->objects.end())
    throw Error(ErrorKind::kInvalid, "the manifest names no object with the contents");
  ManifestObject object = *found;
  object.keys = keys;
  auto buffer = std::make_unique<BufferSink>(kMaxContentsSize, object.name);
  const BufferSink& text = *buffer;
  const std::unique_ptr<Sink> chain = ContentChain(std::move(buffer), object, progress);
  ReadStoredObject(storage, folder, object, *chain);
  Manifest whole = ParseManifest(text.text());
  if (whole.id != manifest->id || whole.file_name != manifest->file_name ||
      !HaveSameObjects(whole, *manifest))
    throw DamagedObject(object.name, "It belongs to another backup.");
  whole.finished_at = manifest->finished_at;
  for (ManifestObject& each : whole.objects) each.keys = keys;
  *manifest = std::move(whole);
}

}  // namespace pgbackup
