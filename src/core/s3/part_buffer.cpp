#include "core/s3/part_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kLargePage = 2u << 20;

}  // namespace

PartBuffer::PartBuffer(size_t capacity) : capacity_(capacity) {
  void* memory = mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw Error(ErrorKind::kUnavailable, "could not allocate memory for a part of an object",
                "It has " + std::to_string(capacity) + " bytes.",
                "Lower pgbackup.s3_part_size, pgbackup.s3_concurrency or pgbackup.jobs.");
  memory_ = static_cast<std::byte*>(memory);
  // A part is filled to its end once and given back: a fault for each page of it would cost as much
  // as hashing it. Not for its beginning, which is all of a small object. Where the system has no
  // large pages to give, nothing changes.
  if (capacity > kLargePage) madvise(memory_ + kLargePage, capacity - kLargePage, MADV_HUGEPAGE);
}

PartBuffer::~PartBuffer() {
  munmap(memory_, capacity_);
}

size_t PartBuffer::Append(std::span<const std::byte> data) noexcept {
  const size_t taken = std::min(data.size(), capacity_ - size_);
  if (taken > 0) memcpy(memory_ + size_, data.data(), taken);
  size_ += taken;
  return taken;
}

PartSlots::Slot PartSlots::Acquire(Account* account) {
  std::unique_lock lock(mutex_);
  // A writer that waits for a further slot becomes one that waits for its first when its parts end.
  bool counted = false;
  released_.wait(lock, [&] {
    const bool first = account->held == 0;
    if (first != counted) {
      waiting_for_first_ += first ? 1 : -1;
      counted = first;
    }
    if (!first) return taken_ < shared_ && waiting_for_first_ == 0;
    return taken_ < shared_ || taken_ == holders_;
  });
  if (counted) --waiting_for_first_;
  if (account->held++ == 0) ++holders_;
  ++taken_;
  // Whoever stood behind this one may go on now.
  if (counted) released_.notify_all();
  return Slot(this, account);
}

void PartSlots::Release(Account* account) noexcept {
  const std::lock_guard lock(mutex_);
  if (--account->held == 0) --holders_;
  --taken_;
  // Under the lock: the writer may be gone once it is free.
  released_.notify_all();
}

}  // namespace pgbackup
