#include "core/restore/plan/stored_sizes.h"

#include <fmt/format.h>

#include <vector>

#include "core/pipeline/damaged_object.h"

namespace pgbackup {
namespace {

// There may be many, and their names are long.
Error InOne(const std::vector<Error>& errors) {
  std::string detail;
  for (const Error& error : errors)
    detail += fmt::format("{}{}.{}{}", detail.empty() ? "" : "\n", error.message(),
                          error.detail().empty() ? "" : " ", error.detail());
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} objects of the backup are missing or damaged; {}", errors.size(),
                           errors.front().message()),
               detail);
}

}  // namespace

bool CheckStoredSizes(Storage& storage, const std::string& folder, const Manifest& manifest,
                      const std::set<size_t>& objects, Findings* findings) {
  std::vector<Error> wrong;
  for (const size_t object : objects)
    for (const Segment& segment : manifest.objects[object].segments) {
      const std::string name = fmt::format("{}/{}", folder, segment.name);
      const std::optional<ObjectInfo> found = storage.Head(name);
      if (!found)
        wrong.emplace_back(ErrorKind::kCorrupt,
                           fmt::format("object \"{}\" of the backup is missing", name));
      else if (found->size != segment.size)
        wrong.push_back(DamagedObject(
            name, fmt::format("It has {} bytes, {} were stored.", found->size, segment.size)));
    }
  if (wrong.size() == 1) findings->Add(wrong.front());
  if (wrong.size() > 1) findings->Add(InOne(wrong));
  return wrong.empty();
}

}  // namespace pgbackup
