#include "core/storage/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kGather = 256u << 10;    // bytes worth one write(2)
constexpr int64_t kPushWindow = 8 << 20;  // bytes between two pushes to the disk

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
  if (!target_.if_absent) {
    if (renameat(folder, from, folder, to) != 0) ThrowSystemError(errno, "write", target_.url);
  } else if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) != 0) {
    // Some file systems know no RENAME_NOREPLACE; a hard link refuses an existing name as well.
    if (errno != EINVAL && errno != ENOSYS) ThrowSystemError(errno, "write", target_.url);
    if (linkat(folder, from, folder, to, 0) != 0) ThrowSystemError(errno, "write", target_.url);
    unlinkat(folder, from, 0);
  }
  temporary_exists_ = false;
}

void FileWriter::Abort() noexcept {
  file_.Reset();
  gathered_.clear();
  if (temporary_exists_) unlinkat(target_.folder.get(), target_.temporary.c_str(), 0);
  temporary_exists_ = false;
}

}  // namespace pgbackup
