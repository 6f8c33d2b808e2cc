#include "core/progress/table_progress.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

const QualifiedName kTableA{"s", "a"}, kTableB{"s", "b"}, kTableC{"s", "c"};

TEST(TableProgress, KnowsNothingBeforeThePlan) {
  TableProgress tables;
  tables.Meet(kTableA);
  tables.Begin(kTableA);
  tables.End(kTableA);
  EXPECT_FALSE(tables.Now());
  tables.Plan({});
  EXPECT_EQ(tables.Now()->done, 0u);
  EXPECT_EQ(tables.Now()->total, 0u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, ATableIsDoneWithTheLastOfItsPieces) {
  TableProgress tables;
  tables.Plan({kTableA, kTableB, kTableA, kTableA});
  EXPECT_EQ(tables.Now()->total, 2u);
  tables.Begin(kTableA);
  tables.Begin(kTableB);
  tables.Begin(kTableA);
  EXPECT_EQ(tables.Now()->current, (std::vector<QualifiedName>{kTableA, kTableB}))
      << "each of them once";
  tables.End(kTableA);
  EXPECT_EQ(tables.Now()->current, (std::vector<QualifiedName>{kTableA, kTableB}));
  tables.End(kTableA);
  EXPECT_EQ(tables.Now()->current, std::vector<QualifiedName>{kTableB});
  EXPECT_EQ(tables.Now()->done, 0u);
  tables.Begin(kTableA);
  tables.End(kTableA);
  EXPECT_EQ(tables.Now()->done, 1u);
  tables.End(kTableB);
  EXPECT_EQ(tables.Now()->done, 2u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, OneThatTurnsUpLaterIsCountedOnce) {
  TableProgress tables;
  tables.Plan({kTableA});
  tables.Meet(kTableA);
  tables.Meet(kTableC);
  tables.Meet(kTableC);
  EXPECT_EQ(tables.Now()->total, 2u);
  tables.Begin(kTableC);
  tables.End(kTableC);
  EXPECT_EQ(tables.Now()->done, 1u);
}

TEST(TableProgress, WhatIsUnknownOrDoneAlreadyCountsForNothing) {
  TableProgress tables;
  tables.Plan({kTableA});
  tables.Begin(kTableB);
  tables.End(kTableB);
  tables.End(kTableA);
  tables.Begin(kTableA);
  tables.End(kTableA);
  EXPECT_EQ(tables.Now()->done, 1u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, InTheEndAllAreDone) {
  TableProgress tables;
  tables.Plan({kTableA, kTableB, kTableB});
  tables.Begin(kTableB);
  tables.Finish();
  EXPECT_EQ(tables.Now()->done, 2u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

}  // namespace
}  // namespace pgbackup
