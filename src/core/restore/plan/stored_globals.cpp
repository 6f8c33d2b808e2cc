#include "core/restore/plan/stored_globals.h"

#include <algorithm>

#include "core/manifest/stored_object.h"
#include "core/pipeline/buffer_sink.h"

namespace pgbackup {

constexpr size_t kMaxGlobalsSize = 256 << 20;

const ManifestObject* GlobalsOf(const Manifest& manifest) {
  const auto found = std::find_if(
      manifest.objects.begin(), manifest.objects.end(),
      [](const ManifestObject& object) { return object.kind == ObjectKind::kGlobals; });
  return found == manifest.objects.end() ? nullptr : &*found;
}

std::string ReadGlobals(Storage& storage, const std::string& folder, const ManifestObject& globals,
                        Progress& progress) {
  auto buffer = std::make_unique<BufferSink>(kMaxGlobalsSize, globals.name);
  const BufferSink& text = *buffer;
  const std::unique_ptr<Sink> chain = ContentChain(std::move(buffer), globals, progress);
  ReadStoredObject(storage, folder, globals, *chain);
  return text.text();
}

}  // namespace pgbackup
