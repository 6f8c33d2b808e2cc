#include "core/storage_backends/absent_storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/name_list.h"
#include "shared/storage_url.h"

namespace pgbackup {
namespace {

std::string LastPartOf(std::string_view prefix) {
  return std::string(prefix.substr(prefix.rfind('/') + 1));
}

bool HoldsAnything(Storage& storage) {
  struct Found {};
  try {
    storage.List("", [](const ObjectInfo&) { throw Found(); });
  } catch (const Found&) {
    return true;
  }
  return false;
}

// The nearest directory above `path` that exists, and those in it.
Surroundings DirectoriesAbove(std::filesystem::path path) {
  std::error_code ignored;
  do {
    path = path.parent_path();
  } while (path.has_relative_path() && !std::filesystem::is_directory(path, ignored));
  Surroundings above{path.string(), {}};
  for (std::filesystem::directory_iterator entry(path, ignored), end; entry != end;
       entry.increment(ignored))
    if (entry->is_directory(ignored)) above.names.push_back(entry->path().filename().string());
  std::sort(above.names.begin(), above.names.end());
  return above;
}

struct Advice {
  std::string detail, hint;
};

// What to say of a place called `asked` that does not exist.
Advice AdviceFrom(const Surroundings& above, const std::string& asked) {
  Advice advice{"", "Correct the name of the storage."};
  std::vector<std::string> names;
  for (const std::string& name : above.names) {
    if (DiffersOnlyByCase(name, asked))
      advice.hint = fmt::format("Perhaps you meant \"{}\"; names are case-sensitive.", name);
    names.push_back(fmt::format("\"{}\"", name));
  }
  if (!names.empty()) advice.detail = fmt::format("{} contains {}.", above.url, ListOfNames(names));
  return advice;
}

}  // namespace

void CheckIsThere(Storage& storage) {
  StorageUrl url;
  const char* why = "";
  if (!ParseStorageUrl(storage.url(), &url, &why)) return;
  if (url.scheme == StorageScheme::kFile) {
    const std::filesystem::path path{std::string(url.path)};
    std::error_code failure;  // other than that it does not exist
    if (std::filesystem::exists(path, failure) || failure) return;
    const Advice advice = AdviceFrom(DirectoriesAbove(path), path.filename().string());
    throw Error(ErrorKind::kNotFound, fmt::format("directory \"{}\" does not exist", path.string()),
                advice.detail, advice.hint);
  }
  if (url.prefix.empty() || HoldsAnything(storage)) return;
  const Advice advice = AdviceFrom(storage.LookAround(), LastPartOf(url.prefix));
  throw Error(ErrorKind::kNotFound, fmt::format("{} contains no objects", storage.url()),
              advice.detail, advice.hint);
}

}  // namespace pgbackup
