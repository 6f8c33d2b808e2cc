#include "core/run/table_progress.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

const QualifiedName kA{"s", "a"}, kB{"s", "b"}, kC{"s", "c"};

TEST(TableProgress, KnowsNothingBeforeThePlan) {
  TableProgress tables;
  tables.Meet(kA);
  tables.Begin(kA);
  tables.End(kA);
  EXPECT_FALSE(tables.Now());
  tables.Plan({});
  EXPECT_EQ(tables.Now()->done, 0u);
  EXPECT_EQ(tables.Now()->total, 0u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, ATableIsDoneWithTheLastOfItsPieces) {
  TableProgress tables;
  tables.Plan({kA, kB, kA, kA});
  EXPECT_EQ(tables.Now()->total, 2u);
  tables.Begin(kA);
  tables.Begin(kB);
  tables.Begin(kA);
  EXPECT_EQ(tables.Now()->current, (std::vector<QualifiedName>{kA, kB})) << "each of them once";
  tables.End(kA);
  EXPECT_EQ(tables.Now()->current, (std::vector<QualifiedName>{kA, kB}));
  tables.End(kA);
  EXPECT_EQ(tables.Now()->current, std::vector<QualifiedName>{kB});
  EXPECT_EQ(tables.Now()->done, 0u);
  tables.Begin(kA);
  tables.End(kA);
  EXPECT_EQ(tables.Now()->done, 1u);
  tables.End(kB);
  EXPECT_EQ(tables.Now()->done, 2u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, OneThatTurnsUpLaterIsCountedOnce) {
  TableProgress tables;
  tables.Plan({kA});
  tables.Meet(kA);
  tables.Meet(kC);
  tables.Meet(kC);
  EXPECT_EQ(tables.Now()->total, 2u);
  tables.Begin(kC);
  tables.End(kC);
  EXPECT_EQ(tables.Now()->done, 1u);
}

TEST(TableProgress, WhatIsUnknownOrDoneAlreadyCountsForNothing) {
  TableProgress tables;
  tables.Plan({kA});
  tables.Begin(kB);
  tables.End(kB);
  tables.End(kA);
  tables.Begin(kA);
  tables.End(kA);
  EXPECT_EQ(tables.Now()->done, 1u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

TEST(TableProgress, InTheEndAllAreDone) {
  TableProgress tables;
  tables.Plan({kA, kB, kB});
  tables.Begin(kB);
  tables.Finish();
  EXPECT_EQ(tables.Now()->done, 2u);
  EXPECT_TRUE(tables.Now()->current.empty());
}

}  // namespace
}  // namespace pgbackup
