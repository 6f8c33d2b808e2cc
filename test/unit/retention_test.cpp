#include "shared/retention/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "retention_test_support.h"
#include "zone_test_support.h"

namespace pgbackup {
namespace {

constexpr int64_t kDay = 86400;

// A nightly backup at two, `days_ago` days before 2026-06-15 12:00.
class RetentionPlan : public testing::Test {
 protected:
  RetentionBackup& Add(int days_ago, int64_t bytes = 1000) {
    RetentionBackup backup;
    backup.id = 1000 - days_ago;
    backup.policy = &policy_;
    backup.completed_at = Utc("2026-06-15 02:00:00") - days_ago * kDay;
    backup.bytes = bytes;
    backups_.push_back(backup);
    return backups_.back();
  }
  void AddNights(int count) {
    for (int night = 0; night < count; ++night) Add(night);
  }
  // How many days ago those were made that stay for a reason.
  std::vector<int64_t> Kept(RetentionReason reason) {
    Plan();
    std::vector<int64_t> days;
    for (const RetentionBackup& backup : backups_)
      if (!backup.gone && backup.reason == reason) days.push_back(1000 - backup.id);
    std::sort(days.begin(), days.end());
    return days;
  }
  RetentionReason ReasonOf(int days_ago) {
    Plan();
    const auto found = std::find_if(backups_.begin(), backups_.end(), [&](const auto& backup) {
      return backup.id == 1000 - days_ago;
    });
    EXPECT_NE(found, backups_.end());
    return found->reason;
  }
  void Plan() { PlanRetention(backups_, Utc("2026-06-15 12:00:00"), utc_, ratio_); }

  const Zone utc_{"UTC"};
  RetentionPolicy policy_;
  double ratio_ = 0.5;
  std::vector<RetentionBackup> backups_;
};

using Days = std::vector<int64_t>;

TEST_F(RetentionPlan, WithoutARuleEverythingIsKept) {
  policy_.minimum = 1;
  AddNights(400);
  EXPECT_EQ(Kept(RetentionReason::kNoRule).size(), 400U);
}

TEST_F(RetentionPlan, KeepsTheLastSoMany) {
  policy_.count = 3;
  AddNights(6);
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{0});
  EXPECT_EQ(Kept(RetentionReason::kCount), (Days{1, 2}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{3, 4, 5}));
}

TEST_F(RetentionPlan, KeepsDays) {
  policy_.days = 2;
  AddNights(5);
  EXPECT_EQ(Kept(RetentionReason::kDays), Days{1});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{2, 3, 4}));
}

TEST_F(RetentionPlan, ABackupIsAsOldAsTheDaysSayToTheSecond) {
  policy_.days = 1;
  Add(0);
  Add(5).completed_at = Utc("2026-06-14 12:00:01");
  Add(6).completed_at = Utc("2026-06-14 12:00:00");
  EXPECT_EQ(Kept(RetentionReason::kDays), Days{5});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{6});
}

TEST_F(RetentionPlan, KeepsTheLastOfDaysWeeksMonthsAndYears) {
  policy_.daily = 3;
  policy_.weekly = 3;
  policy_.monthly = 3;
  policy_.yearly = 2;
  AddNights(800);
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{0});  // Monday, 15 June
  EXPECT_EQ(Kept(RetentionReason::kDaily), (Days{1, 2}));
  EXPECT_EQ(Kept(RetentionReason::kWeekly), Days{8});          // Sundays 14 (daily) and 7 June
  EXPECT_EQ(Kept(RetentionReason::kMonthly), (Days{15, 46}));  // 31 May, 30 April
  EXPECT_EQ(Kept(RetentionReason::kYearly), Days{166});        // 31 December
  EXPECT_EQ(Kept(RetentionReason::kUnneeded).size(), 800U - 7);
}

TEST_F(RetentionPlan, PeriodsWithoutABackupDoNotCount) {
  policy_.daily = 3;
  for (const int days_ago : {0, 10, 20, 30}) Add(days_ago);
  EXPECT_EQ(Kept(RetentionReason::kDaily), (Days{10, 20}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{30});
}

TEST_F(RetentionPlan, OfADayTheLastBackupIsKept) {
  policy_.daily = 2;
  Add(0);
  Add(3).completed_at = Utc("2026-06-14 23:59:59");
  Add(4).completed_at = Utc("2026-06-14 00:00:00");
  EXPECT_EQ(Kept(RetentionReason::kDaily), Days{3});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{4});
}

TEST_F(RetentionPlan, SoManyStayWhateverTheirAge) {
  policy_.days = 1;
  policy_.minimum = 3;
  for (const int days_ago : {100, 110, 120, 130}) Add(days_ago);
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{100});
  EXPECT_EQ(Kept(RetentionReason::kMinimum), (Days{110, 120}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{130});
}

TEST_F(RetentionPlan, TheNewestAndTheNewestVerifiedSurviveEveryPolicy) {
  policy_.days = 1;
  for (const int days_ago : {100, 110, 120, 130, 140}) Add(days_ago).verified = days_ago >= 120;
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{100});
  EXPECT_EQ(Kept(RetentionReason::kVerified), Days{120});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{110, 130, 140}));
}

TEST_F(RetentionPlan, WhatIsPinnedLockedOrInUseStays) {
  policy_.count = 1;
  AddNights(6);
  backups_[2].pinned = true;
  backups_[3].locked_until = Utc("2026-06-15 12:00:01");
  backups_[4].in_use = true;
  backups_[5].locked_until = Utc("2026-06-15 12:00:00");
  EXPECT_EQ(Kept(RetentionReason::kPinned), Days{2});
  EXPECT_EQ(Kept(RetentionReason::kLocked), Days{3});
  EXPECT_EQ(Kept(RetentionReason::kInUse), Days{4});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{1, 5}));
}

TEST_F(RetentionPlan, AnotherClustersBackupsNeitherGoNorCount) {
  policy_.count = 2;
  AddNights(5);
  backups_[0].foreign = backups_[2].foreign = true;
  backups_[0].bytes = 1'000'000;
  backups_[2].verified = true;
  EXPECT_EQ(Kept(RetentionReason::kForeign), (Days{0, 2}));
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{1});
  EXPECT_EQ(Kept(RetentionReason::kCount), Days{3});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{4});
}

TEST_F(RetentionPlan, BackupsOfAFormerDatabaseNeitherGoNorCount) {
  policy_.count = 2;
  AddNights(8);
  for (const size_t days_ago : {3U, 4U, 5U, 6U, 7U}) {
    backups_[days_ago].former = true;
    backups_[days_ago].bytes = 1'000'000;  // the present one is not suspicious because of that
  }
  backups_[4].verified = true;
  backups_[5].pinned = true;
  backups_[6].foreign = true;
  EXPECT_EQ(Kept(RetentionReason::kFormer), (Days{3, 4, 7}));
  EXPECT_EQ(Kept(RetentionReason::kPinned), Days{5});
  EXPECT_EQ(Kept(RetentionReason::kForeign), Days{6});
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{0});
  EXPECT_EQ(Kept(RetentionReason::kCount), Days{1});
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), Days{2});
}

TEST_F(RetentionPlan, WhatIsGoneDoesNotCount) {
  policy_.count = 2;
  AddNights(4);
  backups_[0].gone = backups_[1].gone = true;
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{2});
  EXPECT_EQ(Kept(RetentionReason::kCount), Days{3});
}

TEST_F(RetentionPlan, SeriesCountForThemselvesAndTheFamilyHasOneNewest) {
  RetentionPolicy weekly;
  weekly.count = 1;
  policy_.count = 2;
  AddNights(8);
  for (const int days_ago : {1, 3, 5}) {
    backups_[static_cast<size_t>(days_ago)].series = 7;
    backups_[static_cast<size_t>(days_ago)].policy = &weekly;
  }
  EXPECT_EQ(Kept(RetentionReason::kNewest), Days{0});
  EXPECT_EQ(Kept(RetentionReason::kCount), (Days{1, 2}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{3, 4, 5, 6, 7}));
}

TEST_F(RetentionPlan, FamiliesDoNotKnowOfEachOther) {
  policy_.count = 1;
  AddNights(4);
  backups_[3].family = 2;
  EXPECT_EQ(Kept(RetentionReason::kNewest), (Days{0, 3}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{1, 2}));
}

TEST_F(RetentionPlan, ASuspiciouslySmallNewestKeepsTheOldOnes) {
  policy_.count = 1;
  Add(0, 499);
  for (int night = 1; night < 6; ++night) Add(night, 1000);
  EXPECT_EQ(Kept(RetentionReason::kDoubt), (Days{1, 2, 3, 4, 5}));
  for (const RetentionBackup& backup : backups_)
    EXPECT_EQ(backup.usual_bytes, backup.id == 1000 ? 1000 : -1);
  ratio_ = 0;
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{1, 2, 3, 4, 5}));
}

TEST_F(RetentionPlan, HalfTheUsualSizeIsNotSuspicious) {
  policy_.count = 1;
  Add(0, 500);
  for (int night = 1; night < 6; ++night) Add(night, 1000);
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{1, 2, 3, 4, 5}));
}

TEST_F(RetentionPlan, SizesOfWhatIsGoneStillTellWhatIsUsual) {
  policy_.count = 1;
  Add(0, 10);
  Add(1, 10);
  for (int night = 2; night < 8; ++night) Add(night, 1000).gone = true;
  EXPECT_EQ(Kept(RetentionReason::kDoubt), Days{1});
}

TEST_F(RetentionPlan, ASizeThatStaysSmallBecomesTheUsualOne) {
  policy_.count = 1;
  for (int night = 0; night < 7; ++night) Add(night, 10);
  for (int night = 7; night < 20; ++night) Add(night, 1000);
  EXPECT_EQ(Kept(RetentionReason::kUnneeded).size(), 19U);
}

TEST_F(RetentionPlan, ABackupOfUnknownSizeIsNotSuspicious) {
  policy_.count = 1;
  Add(0, -1);
  Add(1, 1000);
  EXPECT_EQ(ReasonOf(1), RetentionReason::kUnneeded);
  backups_.clear();
  Add(0, 1);
  Add(1, -1);
  EXPECT_EQ(ReasonOf(1), RetentionReason::kUnneeded);
}

TEST_F(RetentionPlan, DaysAreThoseOfTheZone) {
  policy_.daily = 2;
  const int64_t evening = Utc("2026-06-14 20:00:00");  // the 15th in Kathmandu
  Add(0).completed_at = Utc("2026-06-15 10:00:00");
  Add(1).completed_at = evening;
  Add(2).completed_at = Utc("2026-06-14 10:00:00");
  EXPECT_EQ(Kept(RetentionReason::kDaily), Days{1});
  const Zone kathmandu("Asia/Kathmandu");
  EXPECT_EQ(Kept(RetentionReason::kDaily), Days{2});
}

TEST_F(RetentionPlan, ADayThatAClockComesBackToIsOneDay) {
  const Zone st_johns("America/St_Johns");  // 2010-11-07 00:01 becomes 2010-11-06 23:01
  policy_.daily = 3;
  Add(1).completed_at = Utc("2010-11-07 15:30:00");
  Add(2).completed_at = Utc("2010-11-07 03:00:00");  // the 6th, for the second time
  Add(3).completed_at = Utc("2010-11-07 02:30:30");  // the 7th, for half a minute
  Add(4).completed_at = Utc("2010-11-07 02:00:00");  // the 6th
  Add(5).completed_at = Utc("2010-11-05 12:00:00");
  EXPECT_EQ(Kept(RetentionReason::kDaily), (Days{2, 5}));
  EXPECT_EQ(Kept(RetentionReason::kUnneeded), (Days{3, 4}));
}

TEST_F(RetentionPlan, AWeekBeginsOnMonday) {
  policy_.weekly = 2;
  Add(0);  // Monday
  Add(1);  // Sunday
  Add(2);
  EXPECT_EQ(Kept(RetentionReason::kWeekly), Days{1});
}

// --- against a plan made from the words of the rules ------------------------------------------

struct Drawn {
  std::vector<RetentionPolicy> policies;
  std::vector<RetentionBackup> backups;
  int64_t now = 0;
};

Drawn Draw(std::mt19937* random, const char* begin, int span_days) {
  const auto any = [&](int64_t from, int64_t to) {
    return std::uniform_int_distribution<int64_t>(from, to)(*random);
  };
  const auto rule = [&](int most) { return any(0, 1) == 0 ? 0 : static_cast<int>(any(1, most)); };
  Drawn drawn;
  drawn.now = Utc(begin) + span_days * kDay;
  for (int i = 0; i < 3; ++i)
    drawn.policies.push_back(
        {rule(6), rule(40), rule(8), rule(6), rule(6), rule(3), static_cast<int>(any(0, 3))});
  const int64_t count = any(0, 60);
  for (int64_t id = 1; id <= count; ++id) {
    RetentionBackup backup;
    backup.id = id;
    backup.family = any(1, 2);
    backup.series = any(0, 2);
    backup.policy = &drawn.policies[static_cast<size_t>(backup.series)];
    // Many close together, some in the same second.
    backup.completed_at = drawn.now - (any(0, 1) == 0 ? any(0, span_days) * kDay + any(0, 5) * 1800
                                                      : any(0, span_days * kDay));
    backup.bytes = any(0, 9) == 0 ? -1 : any(1, 3) * 400;
    backup.locked_until = any(0, 9) == 0 ? drawn.now + any(-1, 1) : 0;
    backup.foreign = any(0, 14) == 0;
    backup.former = any(0, 14) == 0;
    backup.pinned = any(0, 14) == 0;
    backup.in_use = any(0, 14) == 0;
    backup.verified = any(0, 9) == 0;
    backup.gone = any(0, 5) == 0;
    drawn.backups.push_back(backup);
  }
  return drawn;
}

TEST(RetentionProperty, AgreesWithANaivePlan) {
  constexpr unsigned kSeed = 20260707;
  std::printf("seed %u\n", kSeed);
  std::mt19937 random(kSeed);
  struct Case {
    const char *zone, *begin;
    int days;
  };
  for (const Case& c : std::initializer_list<Case>{{"UTC", "2025-01-01 00:00:00", 900},
                                                   {"Europe/Berlin", "2026-10-20 00:00:00", 10},
                                                   {"Asia/Beirut", "2024-10-22 00:00:00", 8},
                                                   {"America/Santiago", "2026-03-30 00:00:00", 10},
                                                   {"Pacific/Apia", "2011-12-20 00:00:00", 30},
                                                   {"Asia/Kathmandu", "2023-12-20 00:00:00", 60}}) {
    const Zone zone(c.zone);
    for (int round = 0; round < 300; ++round) {
      Drawn drawn = Draw(&random, c.begin, c.days);
      const double ratio = round % 3 == 0 ? 0.5 : round % 3 == 1 ? 0 : 0.9;
      const std::map<int64_t, RetentionReason> expected =
          NaivePlan(drawn.backups, drawn.now, zone, ratio);
      std::shuffle(drawn.backups.begin(), drawn.backups.end(), random);
      PlanRetention(drawn.backups, drawn.now, zone, ratio);
      for (const RetentionBackup& backup : drawn.backups) {
        if (backup.gone) continue;
        ASSERT_EQ(backup.reason, expected.at(backup.id))
            << "backup " << backup.id << " in " << c.zone << ", round " << round;
      }
    }
  }
}

TEST(RetentionProperty, AskingAgainAfterTheDeletionDeletesNothingMore) {
  std::mt19937 random(11);
  const Zone utc("UTC");
  for (int round = 0; round < 500; ++round) {
    Drawn drawn = Draw(&random, "2024-01-01 00:00:00", 700);
    PlanRetention(drawn.backups, drawn.now, utc, 0.5);
    for (RetentionBackup& backup : drawn.backups)
      if (!backup.gone && backup.reason == RetentionReason::kUnneeded) backup.gone = true;
    PlanRetention(drawn.backups, drawn.now, utc, 0.5);
    for (const RetentionBackup& backup : drawn.backups)
      ASSERT_TRUE(backup.gone || backup.reason != RetentionReason::kUnneeded)
          << "backup " << backup.id << ", round " << round;
  }
}

TEST(RetentionProperty, TenThousandBackupsTakeMilliseconds) {
  const Zone utc("UTC");
  const RetentionPolicy policy{.count = 7, .daily = 30, .weekly = 12, .monthly = 24, .yearly = 5};
  std::vector<RetentionBackup> backups(10'000);
  for (size_t i = 0; i < backups.size(); ++i) {
    backups[i].id = static_cast<int64_t>(i);
    backups[i].family = static_cast<int64_t>(i % 20);
    backups[i].completed_at = static_cast<int64_t>(i) * 3600;
    backups[i].policy = &policy;
  }
  const auto begin = std::chrono::steady_clock::now();
  PlanRetention(backups, int64_t{10'000} * 3600, utc, 0.5);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("planning for 10,000 backups took %.1f ms\n", took.count());
  const auto kept = std::count_if(backups.begin(), backups.end(), [](const auto& backup) {
    return backup.reason != RetentionReason::kUnneeded;
  });
  EXPECT_GT(kept, 20 * 30);
  EXPECT_LT(kept, 20 * 80);
}

}  // namespace
}  // namespace pgbackup
