#include "core/base/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace pgbackup {
namespace {

constexpr size_t kLongestFile = 1u << 20;

}  // namespace

std::optional<SmallFile> ReadSmallFile(const std::string& path, const std::string& failed) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file)
    throw Error(ErrorKind::kDenied, failed + ": " + std::generic_category().message(errno), {},
                "The operating system user that runs PostgreSQL must be able to read it.");
  struct stat status;
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw Error(ErrorKind::kInvalid, failed + ": it is not a regular file");
  SmallFile found{{}, status.st_mode, status.st_uid};
  char chunk[4096];
  for (;;) {
    const ssize_t got = read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorKind::kUnavailable, failed + ": " + std::generic_category().message(errno));
    if (got == 0) return found;
    found.text.append(chunk, static_cast<size_t>(got));
    if (found.text.size() > kLongestFile)
      throw Error(ErrorKind::kInvalid, failed + ": it is too long");
  }
}

void CheckPrivacy(const std::string& path, const SmallFile& file, FilePrivacy privacy,
                  const std::string& failed) {
  const std::string chmod = "Run: chmod 0600 \"" + path +
                            "\" (the owner must be the operating system user that runs "
                            "PostgreSQL; a file of root may be 0640).";
  // What PostgreSQL asks of its own TLS keys.
  const mode_t for_others = file.owner == 0 ? 037 : 077;
  if ((file.mode & for_others) != 0 && privacy == FilePrivacy::kPrivate)
    throw Error(ErrorKind::kDenied, failed + ": it is readable by others",
                "The file has group or world access.", chmod);
  if ((file.mode & 022) != 0)
    throw Error(ErrorKind::kDenied, failed + ": others may write it",
                "The file has group or world access.", chmod);
  if (file.owner != 0 && file.owner != geteuid())
    throw Error(ErrorKind::kDenied, failed + ": it belongs to another user", {},
                "Its owner must be root or the operating system user that runs PostgreSQL.");
}

SmallFile ReadPrivateFile(const std::string& path, const std::string& failed, const char* setting) {
  std::optional<SmallFile> file = ReadSmallFile(path, failed);
  if (!file)
    throw Error(ErrorKind::kNotFound, failed + ": it does not exist", {},
                std::string("Correct ") + setting + ".");
  CheckPrivacy(path, *file, FilePrivacy::kPrivate, failed);
  return std::move(*file);
}

}  // namespace pgbackup
