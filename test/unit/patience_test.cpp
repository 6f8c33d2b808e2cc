#include "core/copies/patience.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(HoldUpClock, PatienceEnds) {
  const SteadyTime start{};
  const auto at = [&](int seconds) { return start + std::chrono::seconds(seconds); };
  HoldUpClock clock({std::chrono::seconds(30), 0.25}, start);
  clock.Begin(at(100));
  EXPECT_FALSE(clock.IsOver(at(130)));
  EXPECT_TRUE(clock.IsOver(at(131))) << "no movement for more than 30 s";
  clock.Moved(at(125));
  EXPECT_FALSE(clock.IsOver(at(131)));
  clock.End(at(131));
  // 31 s of 200 are used; 30 s and a fourth of the time may be.
  clock.Begin(at(200));
  clock.Moved(at(259));
  EXPECT_FALSE(clock.IsOver(at(260))) << "91 s of 95";
  clock.Moved(at(269));
  EXPECT_TRUE(clock.IsOver(at(270))) << "101 s of 97.5";
}

TEST(HoldUpClock, WaitsAtTheSameTimeCountOnce) {
  const SteadyTime start{};
  const auto at = [&](int seconds) { return start + std::chrono::seconds(seconds); };
  HoldUpClock clock({std::chrono::seconds(30), 0}, start);
  clock.Begin(at(0));
  clock.Begin(at(5));
  clock.End(at(15));
  clock.End(at(20));
  clock.Begin(at(50));
  EXPECT_FALSE(clock.IsOver(at(59)));
  EXPECT_TRUE(clock.IsOver(at(61)));
}

}  // namespace
}  // namespace pgbackup
