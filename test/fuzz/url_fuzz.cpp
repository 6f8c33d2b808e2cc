// The URLs of the settings: shared/storage_url.h and core/s3/endpoint.h.
#include <string>

#include "core/aws/sigv4.h"
#include "core/base/error.h"
#include "core/s3/endpoint.h"
#include "fuzz.h"
#include "shared/storage_url.h"

namespace pgbackup {
namespace {

bool IsInside(std::string_view part, std::string_view text) {
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

std::string Spelled(const StorageUrl& url) {
  if (url.scheme == StorageScheme::kFile) return "file://" + std::string(url.path);
  std::string text = "s3://" + std::string(url.bucket);
  if (!url.prefix.empty()) text += "/" + std::string(url.prefix);
  return text;
}

// What is accepted lies inside the text, and its plain spelling means the same.
void CheckStorageUrl(std::string_view text) {
  StorageUrl url;
  const char* error = nullptr;
  if (!ParseStorageUrl(text, &url, &error)) {
    REQUIRE(error != nullptr && *error != '\0');
    return;
  }
  REQUIRE(error == nullptr);
  REQUIRE(IsInside(url.path, text) && IsInside(url.bucket, text) && IsInside(url.prefix, text));
  REQUIRE(text.find('\n') == std::string_view::npos);
  REQUIRE(url.bucket.find_first_of("/@?#") == std::string_view::npos);
  const std::string spelled = Spelled(url);
  StorageUrl again;
  REQUIRE(ParseStorageUrl(spelled, &again, &error));
  REQUIRE(again.scheme == url.scheme && Spelled(again) == spelled);
}

// A request goes to the host in the setting and nowhere else, and the signature covers what is
// sent.
void CheckEndpoint(const std::string& text, const std::string& path_style) {
  S3Settings settings;
  settings.endpoint = text;
  settings.path_style = path_style;
  try {
    const Endpoint endpoint(settings, "bucket", "region");
    REQUIRE(endpoint.is_custom() == !text.empty());
    REQUIRE(IsGraphic(endpoint.Host()));
    REQUIRE(endpoint.Host().find_first_of("/?#@\\%") == std::string::npos);
    if (text.empty()) return;
    settings.endpoint = endpoint.Origin();
    settings.path_style = "on";  // the bucket is in the host's name already
    const Endpoint again(settings, "bucket", "region");
    REQUIRE(again.Origin() == endpoint.Origin());
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kInvalid && !error.hint().empty());
  }
}

// Any key becomes a path that a request line can carry, and can be told from any other.
void CheckPath(const std::string& key) {
  S3Settings settings;
  settings.endpoint = "http://store";
  const std::string path = Endpoint(settings, "bucket", "region").Path(key);
  REQUIRE(IsGraphic(path) && path.find_first_of("?#") == std::string::npos);
  REQUIRE(PercentDecode(path) == (key.empty() ? "/bucket" : "/bucket/" + key));
}

void CheckRegion(const std::string& region) {
  if (!IsRegionName(region)) return;
  const Endpoint endpoint = Endpoint({}, "bucket", "us-east-1").InRegion(region);
  REQUIRE(IsGraphic(endpoint.Host()));
  REQUIRE(endpoint.Host().find_first_of("/?#@:\\%") == std::string::npos);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(pgbackup::TextOf(data, size));
  pgbackup::CheckStorageUrl(text);
  for (const char* path_style : {"auto", "on", "off"}) pgbackup::CheckEndpoint(text, path_style);
  pgbackup::CheckPath(text);
  pgbackup::CheckRegion(text);
  return 0;
}
