#include "core/s3/part_buffer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/sha256.h"

namespace pgbackup {
namespace {

TEST(PartBuffer, TakesWhatFits) {
  PartBuffer buffer(5000);
  EXPECT_EQ(buffer.Append(AsBytes("abc")), 3u);
  EXPECT_FALSE(buffer.full());
  EXPECT_EQ(buffer.Append(AsBytes(std::string(6000, 'x'))), 4997u);
  EXPECT_TRUE(buffer.full());
  EXPECT_EQ(buffer.Append(AsBytes("abc")), 0u);
  EXPECT_EQ(buffer.bytes().size(), 5000u);
  EXPECT_EQ(buffer.bytes()[2], std::byte{'c'});
  EXPECT_EQ(buffer.bytes()[4999], std::byte{'x'});
}

TEST(PartSlots, ALoneWriterHasAllOfThem) {
  PartSlots slots(3);
  PartSlots::Account account;
  const auto first = slots.Acquire(&account), second = slots.Acquire(&account),
             third = slots.Acquire(&account);
  EXPECT_EQ(account.held, 3);
}

TEST(PartSlots, AWriterGetsItsFirstAlthoughNoneIsLeft) {
  PartSlots slots(3);
  std::vector<PartSlots::Account> accounts(10);
  std::vector<PartSlots::Slot> held;
  for (PartSlots::Account& account : accounts) held.push_back(slots.Acquire(&account));
  EXPECT_EQ(held.size(), 10u);
}

TEST(PartSlots, AFurtherOneWaitsUntilOneIsGivenBack) {
  PartSlots slots(2);
  PartSlots::Account busy, waiting;
  std::optional<PartSlots::Slot> other = slots.Acquire(&busy);
  const auto own = slots.Acquire(&waiting);
  std::atomic<bool> through{false};
  std::thread waiter([&] {
    const auto further = slots.Acquire(&waiting);
    through = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(through);
  other.reset();
  waiter.join();
  EXPECT_TRUE(through);
  EXPECT_EQ(busy.held, 0);
  EXPECT_EQ(waiting.held, 1);
}

TEST(PartSlots, AFirstOneWaitsForSomebodysSecond) {
  PartSlots slots(2);
  PartSlots::Account greedy, late;
  std::vector<PartSlots::Slot> held;
  held.push_back(slots.Acquire(&greedy));
  held.push_back(slots.Acquire(&greedy));
  std::atomic<bool> through{false};
  std::thread waiter([&] {
    const auto first = slots.Acquire(&late);
    through = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(through);
  held.pop_back();
  // The greedy one wants it back, but the late one goes first.
  held.push_back(slots.Acquire(&greedy));
  EXPECT_TRUE(through);
  waiter.join();
}

TEST(PartSlots, NeverMoreThanTheBoundAndNobodyStarves) {
  constexpr int kWriters = 5, kShared = 3;
  PartSlots slots(kShared);
  std::atomic<int> taken{0}, most{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i)
    writers.emplace_back([&, i] {
      PartSlots::Account account;
      std::vector<std::thread> parts;
      for (int part = 0; part < 40; ++part) {
        auto slot = std::make_shared<PartSlots::Slot>(slots.Acquire(&account));
        const int now = ++taken;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        parts.emplace_back([&taken, i, slot = std::move(slot)]() mutable {
          std::this_thread::sleep_for(std::chrono::microseconds(200 * (i + 1)));
          --taken;
          slot.reset();
        });
      }
      for (std::thread& part : parts) part.join();
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(taken, 0);
  EXPECT_LE(most, kWriters);
}

TEST(PartSlots, ABufferGivesItsSlotBack) {
  PartSlots slots(1);
  PartSlots::Account account;
  {
    PartBuffer buffer(4096);
    buffer.slot = slots.Acquire(&account);
    EXPECT_EQ(account.held, 1);
  }
  EXPECT_EQ(account.held, 0);
}

}  // namespace
}  // namespace pgbackup
