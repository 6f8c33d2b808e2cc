#include "core/storage/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::string UrlOf(const std::string& root, std::string_view folder) {
  std::string url = "file://" + root;
  if (!folder.empty()) url.append("/").append(folder);
  return url;
}

// Makes one directory. A directory that exists is fsync'd in its parent too: whoever made it a
// moment ago may not have come that far yet.
void MakeOne(int parent, const char* name, const std::string& url) {
  if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
    ThrowSystemError(errno, "create directory", url);
  if (fsync(parent) != 0) ThrowSystemError(errno, "create directory", url);
}

void MakeRoot(const std::string& root) {
  const size_t slash = root.rfind('/');
  const std::string parent = slash == 0 ? "/" : root.substr(0, slash);
  const UniqueFd directory(open(parent.c_str(), kDirectoryFlags));
  if (!directory) {
    if (errno == ENOENT)
      throw Error(ErrorKind::kNotFound,
                  "could not create directory " + UrlOf(root, {}) + ": its parent does not exist",
                  "Only the last directory of the storage path is created.",
                  "Create \"" + parent +
                      "\", or mount what belongs there, or correct "
                      "pgbackup.storage.");
    ThrowSystemError(errno, "open directory", UrlOf(parent, {}));
  }
  MakeOne(directory.get(), root.c_str() + slash + 1, UrlOf(root, {}));
}

UniqueFd OpenRoot(const std::string& root, bool create) {
  UniqueFd directory(open(root.c_str(), kDirectoryFlags));
  if (!directory && errno == ENOENT && create) {
    MakeRoot(root);
    directory = UniqueFd(open(root.c_str(), kDirectoryFlags));
  }
  if (!directory && (errno != ENOENT || create))
    ThrowSystemError(errno, "open directory", UrlOf(root, {}));
  return directory;
}

bool IsSymbolicLink(const UniqueFd& directory, const std::string& name) {
  struct stat status {};
  return fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

UniqueFd Walk(const std::string& root, std::string_view folder, bool create) {
  UniqueFd directory = OpenRoot(root, create);
  size_t start = 0;
  while (directory && start < folder.size()) {
    size_t end = folder.find('/', start);
    if (end == std::string_view::npos) end = folder.size();
    const std::string part(folder.substr(start, end - start));
    const std::string url = UrlOf(root, folder.substr(0, end));
    UniqueFd next(openat(directory.get(), part.c_str(), kDirectoryFlags | O_NOFOLLOW));
    if (!next && errno == ENOENT && create) {
      MakeOne(directory.get(), part.c_str(), url);
      next = UniqueFd(openat(directory.get(), part.c_str(), kDirectoryFlags | O_NOFOLLOW));
    }
    if (!next && (errno != ENOENT || create)) {
      const int code = errno;
      // Below a file is nothing; below a symbolic link may be anything.
      if (code == ENOTDIR && !create && !IsSymbolicLink(directory, part)) return UniqueFd();
      ThrowSystemError(code, "open directory", url);
    }
    directory = std::move(next);
    start = end + 1;
  }
  return directory;
}

}  // namespace

void ThrowSystemError(int code, const std::string& action, const std::string& url) {
  const std::string message =
      "could not " + action + " " + url + ": " + std::generic_category().message(code);
  switch (code) {
    case ENOSPC:
      throw Error(ErrorKind::kNoSpace, message, "The file system is full.",
                  "Free space there, or let retention keep fewer backups.");
    case EDQUOT:
      throw Error(ErrorKind::kNoSpace, message, "The disk quota is exhausted.",
                  "Raise the quota, or let retention keep fewer backups.");
    case EACCES:
    case EPERM:
      throw Error(ErrorKind::kDenied, message, {},
                  "The operating system user that runs PostgreSQL must own the storage directory "
                  "and be allowed to write there.");
    case EROFS:
      throw Error(ErrorKind::kDenied, message, {},
                  "The file system is mounted read-only: mount it writable, or choose another "
                  "pgbackup.storage.");
    case ENOENT:
      throw Error(ErrorKind::kNotFound, message);
    case EEXIST:
      throw Error(ErrorKind::kAlreadyExists, message);
    case ENOTDIR:
    case ELOOP:
      throw Error(ErrorKind::kInvalid, message, {},
                  "Below the storage directory only plain directories and files are used, no "
                  "symbolic links.");
    case ENAMETOOLONG:
      throw Error(ErrorKind::kInvalid, message, {},
                  "A part of a name can have 255 bytes here; shorten pgbackup.name_template.");
    default:
      throw Error(ErrorKind::kUnavailable, message);
  }
}

SplitName Split(std::string_view name) noexcept {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return {{}, name};
  return {name.substr(0, slash), name.substr(slash + 1)};
}

UniqueFd OpenFolder(const std::string& root, std::string_view folder) {
  return Walk(root, folder, false);
}

UniqueFd MakeFolder(const std::string& root, std::string_view folder) {
  return Walk(root, folder, true);
}

WallTime ModifiedTime(const struct stat& status) noexcept {
  return WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                  std::chrono::nanoseconds(status.st_mtim.tv_nsec));
}

std::vector<DirectoryEntry> ReadDirectory(const UniqueFd& directory, const std::string& url) {
  // fdopendir takes its descriptor over, and shares its position with duplicates: open anew.
  UniqueFd own(openat(directory.get(), ".", kDirectoryFlags));
  if (!own) ThrowSystemError(errno, "read directory", url);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(own.get()), closedir);
  if (!stream) ThrowSystemError(errno, "read directory", url);
  own.Release();
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* found = readdir(stream.get());
    if (found == nullptr) {
      if (errno != 0) ThrowSystemError(errno, "read directory", url);
      return entries;
    }
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
    struct stat status {};
    if (fstatat(directory.get(), found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      ThrowSystemError(errno, "read directory", url);
    }
    entries.push_back({found->d_name, S_ISDIR(status.st_mode), S_ISREG(status.st_mode),
                       static_cast<unsigned long long>(status.st_size), ModifiedTime(status)});
  }
}

}  // namespace pgbackup
