#include "core/storage/file_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/storage/directory.h"
#include "core/storage/file_probe.h"
#include "core/storage/file_writer.h"

namespace pgbackup {
namespace {

constexpr size_t kReadChunk = 256u << 10;

void CheckName(const std::string& name) {
  if (!IsValidObjectName(name) || IsTemporaryName(Split(name).leaf))
    throw Error(ErrorKind::kInvalid, "invalid object name \"" + name + "\"");
}

using EachFile = std::function<void(const std::string& name, const DirectoryEntry& entry)>;

// Where mkfs keeps what fsck finds, in the root of a mounted file system, for root alone.
constexpr std::string_view kLostAndFound = "lost+found/";

// Visits the files below a folder whose full name starts with a prefix, in byte order.
class FolderWalk {
 public:
  // `unlisted` may be null: a folder that cannot be looked into is an error then.
  FolderWalk(const std::string& root_url, const std::string& prefix, const EachFile& each,
             const Storage::EachUnlisted* unlisted, const Cancellation& cancellation)
      : root_url_(root_url),
        prefix_(prefix),
        each_(each),
        unlisted_(unlisted),
        cancellation_(cancellation) {}

  // `folder` ends in a slash, unless it is the root's empty name.
  void Visit(const UniqueFd& directory, const std::string& folder) {
    VisitEntries(directory, folder, SortedEntries(directory, folder));
  }

 private:
  void VisitEntries(const UniqueFd& directory, const std::string& folder,
                    const std::vector<DirectoryEntry>& entries);
  void Enter(const UniqueFd& parent, const DirectoryEntry& entry, const std::string& folder);
  std::vector<DirectoryEntry> SortedEntries(const UniqueFd& directory,
                                            const std::string& folder) const;

  const std::string& root_url_;
  const std::string& prefix_;
  const EachFile& each_;
  const Storage::EachUnlisted* const unlisted_;
  const Cancellation& cancellation_;
};

std::vector<DirectoryEntry> FolderWalk::SortedEntries(const UniqueFd& directory,
                                                      const std::string& folder) const {
  std::vector<DirectoryEntry> entries = ReadDirectory(directory, root_url_ + "/" + folder);
  // "a/b" comes after "a-b" and before "a0": a directory sorts as its name with the slash.
  for (DirectoryEntry& entry : entries)
    if (entry.is_directory) entry.name += '/';
  std::sort(entries.begin(), entries.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return entries;
}

void FolderWalk::VisitEntries(const UniqueFd& directory, const std::string& folder,
                              const std::vector<DirectoryEntry>& entries) {
  for (const DirectoryEntry& entry : entries) {
    cancellation_.ThrowIfCancelled();
    const std::string name = folder + entry.name;
    const size_t common = std::min(name.size(), prefix_.size());
    if (name.compare(0, common, prefix_, 0, common) != 0) continue;
    if (entry.is_file && name.size() >= prefix_.size()) each_(name, entry);
    if (entry.is_directory) Enter(directory, entry, folder);
  }
}

void FolderWalk::Enter(const UniqueFd& parent, const DirectoryEntry& entry,
                       const std::string& folder) {
  const std::string name = folder + entry.name;
  const std::string part = entry.name.substr(0, entry.name.size() - 1);
  const UniqueFd below(
      openat(parent.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  const int code = below ? 0 : errno;
  if (code == ENOENT || (code == EACCES && name == kLostAndFound)) return;
  std::vector<DirectoryEntry> entries;
  try {
    if (!below) ThrowSystemError(code, "read directory", root_url_ + "/" + folder + part);
    entries = SortedEntries(below, name);
  } catch (const Error& error) {
    if (unlisted_ == nullptr) throw;
    (*unlisted_)(name.substr(0, name.size() - 1), error);
    return;
  }
  VisitEntries(below, name, entries);
}

EachFile ObjectsTo(const Storage::EachObject& each) {
  return [&each](const std::string& name, const DirectoryEntry& entry) {
    if (!IsTemporaryName(entry.name)) each({name, entry.size, entry.modified});
  };
}

void RemoveFile(const UniqueFd& directory, const std::string& leaf, const std::string& url) {
  if (unlinkat(directory.get(), leaf.c_str(), 0) != 0 && errno != ENOENT)
    ThrowSystemError(errno, "delete", url);
}

}  // namespace

FileStorage::FileStorage(std::string root, Environment& environment,
                         const Cancellation& cancellation, Throttle* throttle)
    : root_(std::move(root)),
      url_("file://" + root_),
      environment_(environment),
      cancellation_(cancellation),
      throttle_(throttle) {}

std::unique_ptr<Sink> FileStorage::Put(const std::string& name, const PutOptions& options) {
  CheckName(name);
  cancellation_.ThrowIfCancelled();
  const SplitName split = Split(name);
  FileTarget target;
  target.leaf = split.leaf;
  target.url = url_ + "/" + name;
  target.if_absent = options.if_absent;
  std::array<std::byte, 8> random;
  environment_.FillRandom(random);
  target.temporary.append(kTemporaryPrefix).append(ToHex(random)).append(kTemporarySuffix);
  // A Sweep next door may remove a folder that is still empty between our two steps.
  for (int attempt = 0;; ++attempt) {
    target.folder = MakeFolder(root_, split.folder);
    struct stat status {};
    if (options.if_absent &&
        fstatat(target.folder.get(), target.leaf.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
      ThrowSystemError(EEXIST, "write", target.url);
    UniqueFd file(openat(target.folder.get(), target.temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file)
      return std::make_unique<FileWriter>(std::move(target), std::move(file), cancellation_,
                                          throttle_);
    if (errno != ENOENT || attempt == 10) ThrowSystemError(errno, "write", target.url);
  }
}

void FileStorage::Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) {
  CheckName(name);
  cancellation_.ThrowIfCancelled();
  const SplitName split = Split(name);
  const std::string url = url_ + "/" + name;
  const UniqueFd folder = OpenFolder(root_, split.folder);
  if (!folder) ThrowSystemError(ENOENT, "read", url);
  const UniqueFd file(openat(folder.get(), std::string(split.leaf).c_str(),
                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) ThrowSystemError(errno, "read", url);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) ThrowSystemError(errno, "read", url);
  if (!S_ISREG(status.st_mode)) ThrowSystemError(ENOENT, "read", url);
  const auto size = static_cast<uint64_t>(status.st_size);
  if (offset > size)
    throw Error(ErrorKind::kInvalid, "could not read " + url + ": offset is past its end");
  uint64_t left = std::min(length, size - offset);
  posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(left),
                POSIX_FADV_SEQUENTIAL);
  const auto chunk = std::make_unique<std::byte[]>(kReadChunk);
  while (left > 0) {
    cancellation_.ThrowIfCancelled();
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left, kReadChunk));
    const ssize_t got = pread(file.get(), chunk.get(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EIO)
      throw Error(ErrorKind::kCorrupt, "could not read " + url + ": input/output error",
                  "The disk or the file system cannot read this file.",
                  "Look at the system's log, and use another backup.");
    if (got < 0) ThrowSystemError(errno, "read", url);
    if (got == 0)
      throw Error(ErrorKind::kCorrupt, "could not read " + url + ": it became shorter meanwhile");
    to.Write({chunk.get(), static_cast<size_t>(got)});
    offset += static_cast<uint64_t>(got);
    left -= static_cast<uint64_t>(got);
  }
}

std::optional<ObjectInfo> FileStorage::Head(const std::string& name) {
  CheckName(name);
  cancellation_.ThrowIfCancelled();
  const SplitName split = Split(name);
  const UniqueFd folder = OpenFolder(root_, split.folder);
  if (!folder) return std::nullopt;
  struct stat status {};
  if (fstatat(folder.get(), std::string(split.leaf).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    ThrowSystemError(errno, "look at", url_ + "/" + name);
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return ObjectInfo{name, static_cast<uint64_t>(status.st_size), ModifiedTime(status)};
}

void FileStorage::Walk(const std::string& prefix, const EachFile& each,
                       const EachUnlisted* unlisted) const {
  // The walk starts at the deepest folder the prefix names: no need to read its neighbours.
  const size_t slash = prefix.rfind('/');
  const std::string start = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  if (!start.empty() && !IsValidObjectName(start.substr(0, start.size() - 1))) return;
  const UniqueFd folder =
      OpenFolder(root_, std::string_view(start).substr(0, start.empty() ? 0 : slash));
  if (folder) FolderWalk(url_, prefix, each, unlisted, cancellation_).Visit(folder, start);
}

void FileStorage::List(const std::string& prefix,
                       const std::function<void(const ObjectInfo&)>& each) {
  Walk(prefix, ObjectsTo(each), nullptr);
}

void FileStorage::ListReadable(const std::string& prefix, const EachObject& each,
                               const EachUnlisted& unlisted) {
  Walk(prefix, ObjectsTo(each), &unlisted);
}

void FileStorage::ListUnfinished(const std::string& prefix,
                                 const std::function<void(const UnfinishedUpload&)>& each) {
  const EachUnlisted pass_over = [](const std::string&, const Error&) {};
  Walk(
      prefix,
      [&](const std::string& name, const DirectoryEntry& entry) {
        if (IsTemporaryName(entry.name)) each({name, entry.name, entry.modified});
      },
      &pass_over);
}

void FileStorage::Delete(const std::string& name) {
  CheckName(name);
  RemoveFileAt(name);
}

void FileStorage::AbortUnfinished(const UnfinishedUpload& upload) {
  if (!IsValidObjectName(upload.name) || !IsTemporaryName(Split(upload.name).leaf))
    throw Error(ErrorKind::kInvalid, "\"" + upload.name + "\" is not a temporary file");
  RemoveFileAt(upload.name);
}

void FileStorage::RemoveFileAt(const std::string& name) const {
  cancellation_.ThrowIfCancelled();
  const SplitName split = Split(name);
  const UniqueFd folder = OpenFolder(root_, split.folder);
  if (!folder) return;
  const std::string url = url_ + "/" + name;
  RemoveFile(folder, std::string(split.leaf), url);
  if (fsync(folder.get()) != 0) ThrowSystemError(errno, "delete", url);
  RemoveEmptyFolders(split.folder);
}

// Removes `folder` and above it whatever is empty then; the root stays.
void FileStorage::RemoveEmptyFolders(std::string_view folder) const {
  for (; !folder.empty(); folder = Split(folder).folder) {
    const SplitName split = Split(folder);
    const UniqueFd parent = OpenFolder(root_, split.folder);
    if (!parent) continue;
    if (unlinkat(parent.get(), std::string(split.leaf).c_str(), AT_REMOVEDIR) != 0 &&
        errno != ENOENT)
      return;
    if (fsync(parent.get()) != 0)
      ThrowSystemError(errno, "delete directory", url_ + "/" + std::string(folder));
  }
}

bool FileStorage::Probe(const ProbeRequest& request, ProbeReport& report) {
  return FileProbe(root_, *this, request, report).Run();
}

}  // namespace pgbackup
