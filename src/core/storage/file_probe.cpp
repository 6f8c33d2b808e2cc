#include "core/storage/file_probe.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/storage/directory.h"

namespace pgbackup {

ProbeFinding FileProbe::Directory() {
  made_root_ = !OpenFolder(root_, {});
  if (!made_root_) return root_ + " exists";
  MakeFolder(root_, {});
  return root_ + " does not exist yet and can be made";
}

ProbeFinding FileProbe::Permissions() const {
  struct stat status {};
  if (stat(root_.c_str(), &status) != 0) ThrowSystemError(errno, "look at", url());
  if (status.st_uid != geteuid())
    return {ProbeStatus::kWarning, root_ + " belongs to another operating system user",
            "Make it belong to the operating system user that runs PostgreSQL."};
  const mode_t for_others = status.st_mode & 077;
  if (for_others == 0) return std::string("only the user that runs PostgreSQL can enter it");
  return {ProbeStatus::kWarning,
          std::string("other users can ") + ((for_others & 022) != 0 ? "write to " : "look into ") +
              root_,
          "chmod 0700 " + root_ + ". (What is in it has mode 0700 and 0600 in any case.)"};
}

ProbeFinding FileProbe::Sync() const {
  const UniqueFd directory = OpenFolder(root_, {});
  const SteadyTime begin = request_.environment.SteadyNow();
  if (!directory || fsync(directory.get()) != 0) ThrowSystemError(errno, "sync", url());
  const auto took =
      std::chrono::ceil<std::chrono::milliseconds>(request_.environment.SteadyNow() - begin);
  return "the directory was synced in " + std::to_string(took.count()) + " ms";
}

ProbeFinding FileProbe::FreeSpace() const {
  struct statvfs status {};
  if (statvfs(root_.c_str(), &status) != 0) ThrowSystemError(errno, "ask for the space of", url());
  const uint64_t bytes = uint64_t{status.f_bavail} * status.f_frsize;
  std::string detail = std::to_string(bytes) + " bytes free";
  if (bytes >= request_.needed_bytes) return detail;
  return {ProbeStatus::kWarning,
          detail + ", the last backups together took " + std::to_string(request_.needed_bytes),
          "Free space there, or choose another pgbackup.storage."};
}

bool FileProbe::Run() {
  const bool exists = report_.Try("directory", [&] { return Directory(); });
  report_.TryAfter(exists, "permissions", [&] { return Permissions(); });
  report_.TryAfter(exists, "fsync", [&] { return Sync(); });
  report_.TryAfter(exists, "free space", [&] { return FreeSpace(); });
  if (!exists) {
    objects_.SkipAll("not tried, because the directory cannot be used");
    return false;
  }
  objects_.WriteAndRead();
  objects_.WriteIfAbsent(kProbeMultipart);
  const bool left = !objects_.Delete();
  if (made_root_) rmdir(root_.c_str());  // if it is empty
  return left;
}

}  // namespace pgbackup
