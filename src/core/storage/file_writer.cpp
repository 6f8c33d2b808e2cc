#include "core/storage/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kGather = 256u << 10;    // bytes worth one write(2)
constexpr int64_t kPushWindow = 8 << 20;  // bytes between two pushes to the disk

// What file systems answer to what they cannot do. EPERM is also a refusal: then the next way is
// refused, too.
bool MayBeUnsupported(int code) noexcept {
  return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP || code == EPERM;
}

}  // namespace

bool IsTemporaryName(std::string_view leaf) noexcept {
  return leaf.size() > kTemporaryPrefix.size() + kTemporarySuffix.size() &&
         leaf.substr(0, kTemporaryPrefix.size()) == kTemporaryPrefix &&
         leaf.substr(leaf.size() - kTemporarySuffix.size()) == kTemporarySuffix;
}

FileWriter::FileWriter(FileTarget target, UniqueFd file, const Cancellation& cancellation,
                       Throttle* throttle)
    : target_(std::move(target)),
      file_(std::move(file)),
      cancellation_(cancellation),
      throttle_(throttle) {}

void FileWriter::Write(std::span<const std::byte> data) {
  cancellation_.ThrowIfCancelled();
  if (!file_) throw Error(ErrorKind::kInternal, "write to a closed file: " + target_.url);
  if (gathered_.size() + data.size() < kGather) {
    gathered_.insert(gathered_.end(), data.begin(), data.end());
    return;
  }
  WriteOut(gathered_);
  gathered_.clear();
  WriteOut(data);
}

void FileWriter::WriteOut(std::span<const std::byte> data) {
  const size_t slice = throttle_ != nullptr ? throttle_->Slice() : size_t{1} << 20;
  while (!data.empty()) {
    const size_t wanted = std::min(data.size(), slice);
    if (throttle_ != nullptr) {
      throttle_->Take(wanted, cancellation_);
      cancellation_.ThrowIfCancelled();
    }
    const ssize_t done = write(file_.get(), data.data(), wanted);
    if (done < 0) {
      if (errno == EINTR) continue;
      ThrowSystemError(errno, "write", target_.url);
    }
    data = data.subspan(static_cast<size_t>(done));
    written_ += done;
    if (written_ - pushed_ >= kPushWindow) PushToDisk();
  }
}

// Starts writing the newest window, waits for the one before and drops it from the page cache. All
// of it is advice: where a file system cannot, the fsync at the end does the work.
void FileWriter::PushToDisk() {
  sync_file_range(file_.get(), pushed_, written_ - pushed_, SYNC_FILE_RANGE_WRITE);
  const int64_t before = std::max<int64_t>(0, pushed_ - kPushWindow);
  if (before < pushed_) {
    sync_file_range(
        file_.get(), before, pushed_ - before,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    posix_fadvise(file_.get(), before, pushed_ - before, POSIX_FADV_DONTNEED);
  }
  pushed_ = written_;
}

void FileWriter::Finish() {
  cancellation_.ThrowIfCancelled();
  if (!file_) throw Error(ErrorKind::kInternal, "second finish of a file: " + target_.url);
  WriteOut(gathered_);
  gathered_.clear();
  if (fsync(file_.get()) != 0) ThrowSystemError(errno, "write", target_.url);
  posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (close(file_.Release()) != 0) ThrowSystemError(errno, "write", target_.url);
  Publish();
  if (fsync(target_.folder.get()) != 0) {
    const int code = errno;
    unlinkat(target_.folder.get(), target_.leaf.c_str(), 0);  // what is not durable does not exist
    ThrowSystemError(code, "write", target_.url);
  }
}

void FileWriter::Publish() {
  const int folder = target_.folder.get();
  const char* from = target_.temporary.c_str();
  const char* to = target_.leaf.c_str();
  if (target_.if_absent)
    PublishIfAbsent();
  else if (renameat(folder, from, folder, to) != 0)
    ThrowSystemError(errno, "write", target_.url);
  temporary_exists_ = false;
}

void FileWriter::PublishIfAbsent() {
  const int folder = target_.folder.get();
  const char* from = target_.temporary.c_str();
  const char* to = target_.leaf.c_str();
  if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return;
  if (!MayBeUnsupported(errno)) ThrowSystemError(errno, "write", target_.url);
  if (linkat(folder, from, folder, to, 0) == 0) {
    unlinkat(folder, from, 0);
    return;
  }
  if (!MayBeUnsupported(errno)) ThrowSystemError(errno, "write", target_.url);
  RenameReserved();
}

// For file systems with neither RENAME_NOREPLACE nor hard links (exFAT, some of FUSE). The final
// name is looked for and taken while a file of another name, created exclusively, keeps other
// writers out. That one has a temporary name, so that after a crash it is a leftover, and an object
// still appears whole or not at all.
void FileWriter::RenameReserved() {
  const int folder = target_.folder.get();
  const char* to = target_.leaf.c_str();
  std::string reservation(kTemporaryPrefix);
  reservation.append(target_.leaf).append(kTemporarySuffix);
  const UniqueFd reserved(openat(folder, reservation.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!reserved && errno == EEXIST)
    throw Error(
        ErrorKind::kUnavailable,
        "could not write " + target_.url + ": its name is reserved by another writer",
        "The file \"" + reservation + "\" exists in its folder.",
        "Delete that file if no other backup is being written there: its writer was killed.");
  if (!reserved) ThrowSystemError(errno, "write", target_.url);
  struct stat status {};
  int code = EEXIST;
  if (fstatat(folder, to, &status, AT_SYMLINK_NOFOLLOW) != 0) code = errno;
  if (code == ENOENT)
    code = renameat(folder, target_.temporary.c_str(), folder, to) == 0 ? 0 : errno;
  unlinkat(folder, reservation.c_str(), 0);
  if (code != 0) ThrowSystemError(code, "write", target_.url);
}

void FileWriter::Abort() noexcept {
  file_.Reset();
  gathered_.clear();
  if (temporary_exists_) unlinkat(target_.folder.get(), target_.temporary.c_str(), 0);
  temporary_exists_ = false;
}

}  // namespace pgbackup
