// A year of three schedules, with servers that are down, runs that fail or take too long, and
// clocks that are wrong and set right again; and what retention makes of the backups.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "retention_test_support.h"
#include "shared/cron/slot_plan.h"
#include "shared/retention/retention.h"
#include "zone_test_support.h"

namespace pgbackup {
namespace {

constexpr int64_t kHour = 3600, kDayOfHours = 24 * kHour;
constexpr int kAttempts = 3;  // of a run, the first one included

enum class Became { kRun, kCaughtUp, kSkipped };

// What is recorded about the slots of a schedule, as in pgbackup.slots.
struct SlotRecord {
  struct Missed {
    int64_t first, last, count;
  };
  std::map<int64_t, Became> settled;
  std::vector<Missed> missed;
  int64_t since = 0;
};

struct SimulatedSchedule {
  std::string name;
  CronExpression cron;
  SlotRules rules;
  RetentionPolicy policy;
  SlotRecord record;
  int64_t busy_until = 0;  // true time; 0: nothing runs
  int attempt = 0;
  bool fails = false;
};

// The clock of the server is true time plus `shift`. Everything that happens is at a true time.
class Year {
 public:
  Year(const char* zone, unsigned seed) : zone_(zone), random_(seed) {
    start_ = Utc("2026-01-01 00:00:00");
    end_ = Utc("2027-01-01 00:00:00");
    Add("daily", "0 2 * * *", {.daily = 5, .weekly = 3, .minimum = 1});
    Add("often", "30 */6 * * *", {.count = 4, .days = 2});
    Add("weekly", "15 1,3 * * sun", {.monthly = 3, .yearly = 1, .minimum = 2});
    DrawTroubles();
  }

  void Simulate() {
    int64_t next_day = start_ + kDayOfHours;
    for (int64_t t = start_; t <= end_;) {
      BringOnTroubles(t);
      if (!is_down_)
        for (SimulatedSchedule& schedule : schedules_) Look(&schedule, t);
      if (t >= next_day) {
        ApplyRetention(t);
        next_day = t + kDayOfHours;
      }
      t = std::min(next_day, NextMoment(t));
    }
  }

  void CheckThatEverySlotIsSettledOnce() const {
    for (const SimulatedSchedule& schedule : schedules_) {
      const SlotRecord& record = schedule.record;
      int64_t slots = 0;
      for (int64_t slot = NextRun(schedule.cron, start_, zone_); slot <= end_ - kHour;
           slot = NextRun(schedule.cron, slot, zone_)) {
        const auto ranges = std::count_if(
            record.missed.begin(), record.missed.end(),
            [&](const auto& range) { return range.first <= slot && slot <= range.last; });
        const bool is_settled = record.settled.count(slot) > 0;
        ASSERT_TRUE(is_settled ? ranges <= 1 : ranges == 1)
            << schedule.name << " at " << Show(slot, zone_) << ": settled " << is_settled
            << ", missed " << ranges;
        ++slots;
      }
      int64_t accounted = 0;
      for (const auto& range : record.missed) accounted += range.count;
      for (const auto& [slot, became] : record.settled) accounted += slot <= end_ - kHour ? 1 : 0;
      EXPECT_EQ(accounted, slots) << schedule.name;
      for (const auto& [slot, times] : runs_.at(schedule.name))
        EXPECT_EQ(times, 1) << schedule.name << " at " << Show(slot, zone_);
    }
  }

  int64_t Count(Became what) const {
    int64_t count = 0;
    for (const SimulatedSchedule& schedule : schedules_)
      for (const auto& [slot, became] : schedule.record.settled) count += became == what ? 1 : 0;
    return count;
  }
  int64_t CountMissed() const {
    int64_t count = 0;
    for (const SimulatedSchedule& schedule : schedules_)
      for (const auto& range : schedule.record.missed) count += range.count;
    return count;
  }
  int64_t deleted() const { return deleted_; }
  const Zone& zone() const { return zone_; }

 private:
  struct Trouble {
    int64_t at = 0;
    bool down = false;  // from now on
    int64_t shift = 0;  // of the clock, from now on
  };

  void Add(const char* name, const char* cron, const RetentionPolicy& policy) {
    SimulatedSchedule schedule;
    schedule.name = name;
    schedule.cron = ParsedCron(cron);
    schedule.rules = {.delay = JitterDelay(4711, name, 600), .catch_up_window = kDayOfHours};
    schedule.policy = policy;
    schedule.record.since = start_;
    schedules_.push_back(schedule);
    runs_[name];
  }

  int64_t Any(int64_t from, int64_t to) {
    return std::uniform_int_distribution<int64_t>(from, to)(random_);
  }

  // Sometimes the server is down, sometimes its clock is wrong, sometimes both begin or end at
  // once.
  void DrawTroubles() {
    for (int64_t t = start_ + kDayOfHours; t < end_ - 20 * kDayOfHours;) {
      t += Any(kHour, 9 * kDayOfHours);
      const int64_t until =
          t + (Any(0, 3) == 0 ? Any(kHour, 12 * kDayOfHours) : Any(60, kDayOfHours));
      const int64_t kind = Any(0, 3);
      const int64_t shift =
          Any(0, 1) == 0 ? Any(-2 * kDayOfHours, 2 * kDayOfHours) : Any(-kHour, kHour);
      if (kind == 0) {  // comes up with a wrong clock, which is set right later
        troubles_.push_back({t, true, 0});
        troubles_.push_back({until, false, shift});
        troubles_.push_back({until + Any(60, kDayOfHours), false, 0});
      } else if (kind == 1) {
        troubles_.push_back({t, false, shift});
        troubles_.push_back({until, false, 0});
      } else {
        troubles_.push_back({t, true, 0});
        troubles_.push_back({until, false, 0});
      }
      t = troubles_.back().at;
    }
  }

  void BringOnTroubles(int64_t t) {
    for (; trouble_ < troubles_.size() && troubles_[trouble_].at <= t; ++trouble_) {
      is_down_ = troubles_[trouble_].down;
      shift_ = troubles_[trouble_].shift;
      if (!is_down_) continue;
      for (SimulatedSchedule& schedule : schedules_) schedule.busy_until = 0;
    }
  }

  // The next moment at which the launcher would wake up, or something happens to it.
  int64_t NextMoment(int64_t t) const {
    int64_t next = trouble_ < troubles_.size() ? troubles_[trouble_].at : end_ + 1;
    if (is_down_) return std::max(next, t + 1);
    const int64_t now = t + shift_;
    for (const SimulatedSchedule& schedule : schedules_) {
      const SlotPlan plan = PlanSlots(schedule.cron, zone_, schedule.rules,
                                      std::min(schedule.record.since, now), now);
      next = std::min(next, plan.next + schedule.rules.delay - shift_);
      if (schedule.busy_until > 0) next = std::min(next, schedule.busy_until);
    }
    return std::max(next, t + 1);
  }

  // A clock set back: what was missed by the wrong time is to come again.
  static void SetBack(SlotRecord* record, int64_t now) {
    if (record->since <= now) return;
    record->since = now;
    for (const auto& range : record->missed)
      if (range.last > now) record->since = std::min(record->since, range.first - 1);
    std::erase_if(record->missed, [&](const auto& range) { return range.last > now; });
  }

  void Look(SimulatedSchedule* schedule, int64_t t) {
    const int64_t now = t + shift_;
    EndRun(schedule, t);
    SlotRecord& record = schedule->record;
    SetBack(&record, now);
    const SlotPlan plan = PlanSlots(schedule->cron, zone_, schedule->rules, record.since, now);
    if (plan.missed > 0) {
      const auto settled_before =
          std::count_if(record.settled.begin(), record.settled.end(), [&](const auto& entry) {
            return plan.first_missed <= entry.first && entry.first <= plan.last_missed;
          });
      record.missed.push_back({plan.first_missed, plan.last_missed, plan.missed - settled_before});
      record.since = plan.last_missed;
    }
    if (plan.due == kNoSlot) return;
    record.since = plan.due;
    EXPECT_LE(now - plan.due - schedule->rules.delay, schedule->rules.catch_up_window);
    const bool is_busy = schedule->busy_until > 0;
    const Became became = is_busy ? Became::kSkipped : plan.late ? Became::kCaughtUp : Became::kRun;
    if (!record.settled.emplace(plan.due, became).second || is_busy) return;
    ++runs_[schedule->name][plan.due];
    schedule->attempt = 1;
    StartRun(schedule, t);
  }

  void StartRun(SimulatedSchedule* schedule, int64_t t) {
    schedule->fails = Any(0, 7) == 0;
    schedule->busy_until = t + (Any(0, 20) == 0 ? Any(kHour, 40 * kHour) : Any(60, kHour));
  }

  void EndRun(SimulatedSchedule* schedule, int64_t t) {
    if (schedule->busy_until == 0 || schedule->busy_until > t) return;
    schedule->busy_until = 0;
    if (schedule->fails) {
      if (++schedule->attempt <= kAttempts) StartRun(schedule, t);
      return;
    }
    RetentionBackup backup;
    backup.id = ++last_id_;
    backup.series = schedule - schedules_.data();
    backup.policy = &schedule->policy;
    backup.completed_at = t + shift_;
    backup.bytes = Any(0, 15) == 0 ? Any(1, 400) : Any(800, 1000);
    backup.verified = Any(0, 9) == 0;
    backup.pinned = Any(0, 80) == 0;
    backups_.push_back(backup);
  }

  void ApplyRetention(int64_t t) {
    const int64_t now = t + shift_;
    const std::map<int64_t, RetentionReason> expected = NaivePlan(backups_, now, zone_, 0.5);
    PlanRetention(backups_, now, zone_, 0.5);
    for (const RetentionBackup& backup : backups_)
      ASSERT_EQ(backup.reason, expected.at(backup.id))
          << "backup " << backup.id << " on " << Show(now, zone_);
    deleted_ += static_cast<int64_t>(std::erase_if(
        backups_, [](const auto& backup) { return backup.reason == RetentionReason::kUnneeded; }));
    ASSERT_TRUE(deleted_ == 0 || !backups_.empty());
  }

  const Zone zone_;
  std::mt19937 random_;
  int64_t start_ = 0, end_ = 0;
  std::vector<SimulatedSchedule> schedules_;
  std::vector<Trouble> troubles_;
  size_t trouble_ = 0;
  bool is_down_ = false;
  int64_t shift_ = 0;
  std::map<std::string, std::map<int64_t, int>> runs_;
  std::vector<RetentionBackup> backups_;
  int64_t last_id_ = 0;
  int64_t deleted_ = 0;
};

TEST(ScheduleYear, EverySlotIsRunCaughtUpSkippedOrMissedOnce) {
  constexpr unsigned kSeed = 20260101;
  std::printf("seed %u\n", kSeed);
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                           "Africa/Casablanca", "America/Santiago"})
    for (unsigned round = 0; round < 2; ++round) {
      Year year(zone, kSeed + round);
      year.Simulate();
      year.CheckThatEverySlotIsSettledOnce();
      if (testing::Test::HasFatalFailure()) FAIL() << zone << ", round " << round;
      // The year was one in which all of it happened.
      EXPECT_GT(year.Count(Became::kRun), 500) << zone;
      EXPECT_GT(year.Count(Became::kCaughtUp), 10) << zone;
      EXPECT_GT(year.Count(Became::kSkipped), 10) << zone;
      EXPECT_GT(year.CountMissed(), 50) << zone;
      EXPECT_GT(year.deleted(), 200) << zone;
    }
}

// --- the plan of slots itself -----------------------------------------------------------------

struct Slots : testing::Test {
  SlotPlan PlanAt(const char* since, const char* now, SlotRules rules = {0, kDayOfHours}) {
    return PlanSlots(ParsedCron("0 2 * * *"), utc, rules, Utc(since), Utc(now));
  }
  const Zone utc{"UTC"};
};

TEST_F(Slots, NothingIsDueBeforeItsTime) {
  const SlotPlan plan = PlanAt("2026-01-01 02:00:00", "2026-01-02 01:59:59");
  EXPECT_EQ(plan.due, kNoSlot);
  EXPECT_EQ(plan.missed, 0);
  EXPECT_EQ(plan.next, Utc("2026-01-02 02:00:00"));
}

TEST_F(Slots, ASlotIsDueAtItsTimeAndOnTimeForAWhile) {
  for (const char* now : {"2026-01-02 02:00:00", "2026-01-02 02:01:30"}) {
    const SlotPlan plan = PlanAt("2026-01-01 02:00:00", now);
    EXPECT_EQ(plan.due, Utc("2026-01-02 02:00:00"));
    EXPECT_FALSE(plan.late);
    EXPECT_EQ(plan.missed, 0);
    EXPECT_EQ(plan.next, Utc("2026-01-03 02:00:00"));
  }
  EXPECT_TRUE(PlanAt("2026-01-01 02:00:00", "2026-01-02 02:01:31").late);
}

TEST_F(Slots, AServerThatWasDownAtTwoCatchesUpOnce) {
  const SlotPlan plan = PlanAt("2026-01-01 02:00:00", "2026-01-02 09:00:00");
  EXPECT_EQ(plan.due, Utc("2026-01-02 02:00:00"));
  EXPECT_TRUE(plan.late);
  EXPECT_EQ(plan.missed, 0);
}

TEST_F(Slots, AfterTenDaysOnlyTheLastSlotIsCaughtUp) {
  const SlotPlan plan = PlanAt("2026-01-01 02:00:00", "2026-01-11 09:00:00");
  EXPECT_EQ(plan.due, Utc("2026-01-11 02:00:00"));
  EXPECT_TRUE(plan.late);
  EXPECT_EQ(plan.missed, 9);
  EXPECT_EQ(plan.first_missed, Utc("2026-01-02 02:00:00"));
  EXPECT_EQ(plan.last_missed, Utc("2026-01-10 02:00:00"));
  EXPECT_EQ(PlanAt("2026-01-11 02:00:00", "2026-01-11 09:00:00").due, kNoSlot);
}

TEST_F(Slots, OutsideTheWindowASlotIsMissed) {
  const SlotRules hour = {.delay = 0, .catch_up_window = kHour};
  const SlotPlan inside = PlanAt("2026-01-01 02:00:00", "2026-01-02 03:00:00", hour);
  EXPECT_EQ(inside.due, Utc("2026-01-02 02:00:00"));
  const SlotPlan outside = PlanAt("2026-01-01 02:00:00", "2026-01-02 03:00:01", hour);
  EXPECT_EQ(outside.due, kNoSlot);
  EXPECT_EQ(outside.missed, 1);
  EXPECT_EQ(outside.last_missed, Utc("2026-01-02 02:00:00"));
}

TEST_F(Slots, JitterPutsOffTheStartAndTheWindow) {
  const SlotRules rules = {.delay = 600, .catch_up_window = kHour};
  EXPECT_EQ(PlanAt("2026-01-01 02:00:00", "2026-01-02 02:09:59", rules).due, kNoSlot);
  EXPECT_EQ(PlanAt("2026-01-01 02:00:00", "2026-01-02 02:09:59", rules).next,
            Utc("2026-01-02 02:00:00"));
  EXPECT_EQ(PlanAt("2026-01-01 02:00:00", "2026-01-02 02:10:00", rules).due,
            Utc("2026-01-02 02:00:00"));
  EXPECT_EQ(PlanAt("2026-01-01 02:00:00", "2026-01-02 03:10:00", rules).due,
            Utc("2026-01-02 02:00:00"));
  EXPECT_EQ(PlanAt("2026-01-01 02:00:00", "2026-01-02 03:10:01", rules).due, kNoSlot);
}

TEST_F(Slots, AClockSetBackMakesNothingDue) {
  const SlotPlan plan = PlanAt("2026-01-10 02:00:00", "2026-01-02 09:00:00");
  EXPECT_EQ(plan.due, kNoSlot);
  EXPECT_EQ(plan.missed, 0);
  EXPECT_EQ(plan.next, Utc("2026-01-11 02:00:00"));
}

TEST_F(Slots, ManyMissedSlotsAreNotCountedForEver) {
  const SlotPlan plan = PlanSlots(ParsedCron("* * * * *"), utc, {0, kDayOfHours},
                                  Utc("2020-01-01 00:00:00"), Utc("2026-01-01 00:00:30"));
  EXPECT_EQ(plan.due, Utc("2026-01-01 00:00:00"));
  EXPECT_EQ(plan.missed, kMostMissedSlots);
  EXPECT_EQ(plan.last_missed, Utc("2025-12-31 23:59:00"));
}

TEST(Jitter, IsTheSameForAScheduleOfACluster) {
  std::map<int64_t, int> spread;
  for (uint64_t cluster = 0; cluster < 2000; ++cluster) {
    const int64_t delay = JitterDelay(7'000'000'000'000'000'000U + cluster, "nightly", 59);
    EXPECT_EQ(delay, JitterDelay(7'000'000'000'000'000'000U + cluster, "nightly", 59));
    ASSERT_GE(delay, 0);
    ASSERT_LE(delay, 59);
    ++spread[delay];
  }
  EXPECT_EQ(spread.size(), 60U);
  for (const auto& [delay, count] : spread) EXPECT_LT(count, 80) << delay;
  EXPECT_EQ(JitterDelay(1, "nightly", 0), 0);
  EXPECT_NE(JitterDelay(1, "nightly", 1'000'000), JitterDelay(1, "weekly", 1'000'000));
}

}  // namespace
}  // namespace pgbackup
