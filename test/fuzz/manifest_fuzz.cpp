// What a storage says a backup is made of: core/manifest/manifest.h.
#include <string>

#include "core/base/error.h"
#include "core/manifest/manifest.h"
#include "fuzz.h"

namespace pgbackup {
namespace {

std::string Spelled(const boost::json::object& manifest) {
  return boost::json::serialize(manifest);
}

// A manifest written down again is the same manifest; what is stored of it in clear can be read,
// too.
void CheckManifest(std::string_view text) {
  Manifest manifest;
  try {
    manifest = ParseManifest(text);
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kInvalid && !error.message().empty());
    return;
  }
  REQUIRE(manifest.RawSize() <= INT64_MAX && manifest.StoredSize() <= INT64_MAX);
  for (const ManifestObject& object : manifest.objects)
    for (const Segment& segment : object.segments)
      REQUIRE((object.name + segment.name).find('/') == std::string::npos);
  const std::string spelled = Spelled(ManifestToJson(manifest));
  REQUIRE(Spelled(ManifestToJson(ParseManifest(spelled))) == spelled);
  const std::string stored = Spelled(ManifestForStorage(manifest));
  REQUIRE(Spelled(ManifestForStorage(ParseManifest(stored))) == stored);
  ParseManifest(Spelled(ManifestForCatalog(manifest)));
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pgbackup::CheckManifest(pgbackup::TextOf(data, size));
  return 0;
}
