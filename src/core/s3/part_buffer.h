// The memory of transfers: one buffer a part, and the rule how many of them uploads have.
//
// The rule: a buffer that outgrows kSmallPart, and any that is sent as a part, needs a slot, of
// which there are `shared`. A lone writer can have them all: it fills one while the others are on
// their way. With several writers, none gets a second one while another waits for its first, and
// once each has but one, a first is given although none is left. So together they take at most
//   part_size × max(shared, writers) + kSmallPart × writers
// and each can always go on: who waits, waits for a part on its way, and that ends.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>

namespace pgbackup {

// Buffers up to this size are not counted: small objects neither cost nor wait.
inline constexpr size_t kSmallPart = 1u << 20;

// The slots all writers of one storage share. Safe for several threads at once.
class PartSlots {
 public:
  // How many slots one writer has; belongs to the slots' mutex. Outlives these.
  struct Account {
    int held = 0;
  };

  // A slot taken, given back on destruction.
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&& other) noexcept
        : slots_(std::exchange(other.slots_, nullptr)), account_(other.account_) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(slots_, other.slots_);
      std::swap(account_, other.account_);
      return *this;
    }
    ~Slot() {
      if (slots_ != nullptr) slots_->Release(account_);
    }
    explicit operator bool() const noexcept { return slots_ != nullptr; }

   private:
    friend class PartSlots;
    Slot(PartSlots* slots, Account* account) : slots_(slots), account_(account) {}
    PartSlots* slots_ = nullptr;
    Account* account_ = nullptr;
  };

  explicit PartSlots(int shared) : shared_(shared) {}

  // Waits for a slot. A writer asks only while all it has are on their way.
  Slot Acquire(Account* account);

 private:
  void Release(Account* account) noexcept;

  const int shared_;
  std::mutex mutex_;
  std::condition_variable released_;
  int taken_ = 0;
  int holders_ = 0;  // writers that have at least one
  int waiting_for_first_ = 0;
};

// Bytes gathered for one part. The pages behind it come one by one as it fills, and go back to the
// system, and then the slot to its owner, when it is destroyed.
class PartBuffer {
 public:
  explicit PartBuffer(size_t capacity);
  ~PartBuffer();
  PartBuffer(const PartBuffer&) = delete;
  PartBuffer& operator=(const PartBuffer&) = delete;

  // Takes as much of `data` as there is room for, and returns how much that was.
  size_t Append(std::span<const std::byte> data) noexcept;
  std::span<const std::byte> bytes() const noexcept { return {memory_, size_}; }
  size_t size() const noexcept { return size_; }
  bool full() const noexcept { return size_ == capacity_; }

  // The slot this buffer needs once it is larger than kSmallPart, or sent as a part.
  PartSlots::Slot slot;

 private:
  std::byte* memory_;
  size_t capacity_;
  size_t size_ = 0;
};

}  // namespace pgbackup
