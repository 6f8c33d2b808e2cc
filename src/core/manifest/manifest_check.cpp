#include "core/manifest/manifest_check.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/manifest/manifest_name.h"

namespace pgbackup {
namespace {

constexpr size_t kLongestText = 1000;
constexpr size_t kMostObjects = 1'000'000;
constexpr uint64_t kLargestSize = INT64_MAX;

void CheckName(const std::string& name) {
  if (!IsValidObjectName(name) || name.find('/') != std::string::npos || name == kManifestName)
    throw Error(ErrorKind::kInvalid,
                fmt::format("the manifest names the impossible object \"{}\"", name));
}

// Keeps one name from standing for two things.
class Names {
 public:
  void Add(const std::string& name) {
    CheckName(name);
    if (!seen_.insert(name).second)
      throw Error(ErrorKind::kInvalid, fmt::format("the manifest names object \"{}\" twice", name));
  }

 private:
  std::set<std::string> seen_;
};

// Adds to *sum what may be part of a sum.
void Add(uint64_t size, uint64_t* sum) {
  if (size > kLargestSize - *sum)
    throw Error(ErrorKind::kInvalid, "the manifest records an impossible size");
  *sum += size;
}

void CheckObjects(const Manifest& manifest) {
  if (manifest.objects.size() > kMostObjects)
    throw Error(ErrorKind::kInvalid,
                fmt::format("the manifest names {} objects", manifest.objects.size()));
  Names objects;
  uint64_t raw = 0, stored = 0;
  for (const ManifestObject& object : manifest.objects) {
    objects.Add(object.name);
    Add(object.raw_size, &raw);
    Names segments;
    for (const Segment& segment : object.segments) {
      segments.Add(segment.name);
      Add(segment.size, &stored);
    }
  }
  // What is added to that: the manifest's own size.
  if (stored > kLargestSize / 2 || manifest.database_size > kLargestSize)
    throw Error(ErrorKind::kInvalid, "the manifest records an impossible size");
}

void CheckTime(const char* what, const std::string& text, bool in_utc) {
  if (text.empty() || (ParseIsoTime(text) && (!in_utc || text.back() == 'Z'))) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("the manifest has no time that can be read as {}", what));
}

void CheckText(const char* what, const std::string& text) {
  if (text.size() > kLongestText)
    throw Error(ErrorKind::kInvalid,
                fmt::format("the manifest has a text of {} bytes as {}", text.size(), what));
}

void CheckTexts(const Manifest& manifest) {
  CheckText("the name of the database", manifest.database);
  CheckText("the name of the database", manifest.properties.name);
  CheckText("label", manifest.label.value_or(""));
  CheckText("schedule", manifest.schedule.value_or(""));
  CheckText("type", manifest.backup_type);
  CheckText("compression", manifest.compression);
  CheckText("the name of the role", manifest.created_by);
  CheckText("the name of the cluster", manifest.cluster.name);
  CheckText("environment", manifest.cluster.environment);
  CheckText("system identifier", manifest.cluster.system_identifier);
  CheckText("instance", manifest.cluster.instance.token);
  CheckText("the place of the server", manifest.cluster.instance.place);
  CheckText("the key of the run", manifest.run_key);
  CheckText("the version of the server", manifest.cluster.server_version);
  CheckText("the version of pg_dump", manifest.pg_dump_version);
  CheckText("the version of pgbackup", manifest.pgbackup_version);
}

}  // namespace

void CheckManifest(const Manifest& manifest) {
  if (!IsValidObjectName(manifest.file_name))
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}\" cannot be the name of a backup's folder", manifest.file_name));
  if (manifest.database.empty()) throw Error(ErrorKind::kInvalid, "the manifest names no database");
  CheckTexts(manifest);
  CheckTime("the backup's beginning", manifest.started_at, /*in_utc=*/true);
  CheckTime("the backup's end", manifest.finished_at, /*in_utc=*/true);
  CheckTime("the time of the request", manifest.created_at, /*in_utc=*/false);
  CheckObjects(manifest);
}

}  // namespace pgbackup
