// Descriptors and directories for the file backend: opened one part at a time below a root, never
// through a symbolic link, every failure an Error that says what to do.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/environment.h"
#include "core/base/unique_fd.h"

namespace pgbackup {

// Throws what errno `code` means for the attempt to `action` (e.g. "write") the thing at `url`.
[[noreturn]] void ThrowSystemError(int code, const std::string& action, const std::string& url);

// The folder and the last part of an object name.
struct SplitName {
  std::string_view folder;  // without trailing slash, may be empty
  std::string_view leaf;
};
SplitName Split(std::string_view name) noexcept;

// Opens the directory `folder` below `root`; an empty descriptor when it (or the root) is missing.
// Throws for everything else, e.g. a part that is a symbolic link or a file.
UniqueFd OpenFolder(const std::string& root, std::string_view folder);

// The same, creating what is missing, 0700, each new entry fsync'd in its parent. Of the root only
// the last component is created.
UniqueFd MakeFolder(const std::string& root, std::string_view folder);

// When a file was written last.
WallTime ModifiedTime(const struct stat& status) noexcept;

// A directory's entry.
struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  bool is_file = false;
  unsigned long long size = 0;  // of a file
  WallTime modified = {};
};

// All entries but "." and "..", in no order; those that vanish meanwhile are left out.
std::vector<DirectoryEntry> ReadDirectory(const UniqueFd& directory, const std::string& url);

}  // namespace pgbackup
