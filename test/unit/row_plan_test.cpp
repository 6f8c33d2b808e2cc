#include "core/dump/row_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace pgbackup {
namespace {

constexpr uint64_t kMb = 1 << 20, kGb = 1 << 30;

TableWeight Table(uint64_t bytes) {
  TableWeight table;
  table.bytes = bytes;
  table.pages = bytes / 8192;
  table.name_bytes = 20;
  table.can_leave = table.can_split = true;
  return table;
}

RowPlanLimits Lanes(int64_t jobs, uint64_t split_bytes = 16 * kGb) {
  RowPlanLimits limits;
  limits.jobs = jobs;
  limits.split_bytes = split_bytes;
  return limits;
}

// "1 0+2 3[0,5)": the tables of each object, with its pages.
std::string Shape(const RowPlan& plan) {
  std::string shape;
  for (const RowObject& object : plan.objects) {
    shape += shape.empty() ? "" : " ";
    for (size_t i = 0; i < object.tables.size(); ++i)
      shape += (i == 0 ? "" : "+") + std::to_string(object.tables[i]);
    if (!object.pages) continue;
    shape += "[" + std::to_string(object.pages->first) + "," +
             (object.pages->end ? std::to_string(*object.pages->end) : "") + ")";
  }
  return shape;
}

TEST(RowPlan, WhatBecomesAnObjectOfItsOwn) {
  TableWeight member = Table(kGb), strange = Table(kGb), empty = Table(0);
  member.bytes = 0;
  member.can_leave = false;
  strange.can_leave = false;
  struct Row {
    const char* what;
    std::vector<TableWeight> tables;
    RowPlanLimits limits;
    const char* shape;
  };
  const Row rows[] = {
      {"nothing", {}, Lanes(2), ""},
      {"one small table", {Table(kMb)}, Lanes(2), ""},
      {"one big table", {Table(kGb)}, Lanes(2), "0"},
      {"big ones, the heaviest first",
       {Table(kGb), Table(3 * kGb), Table(2 * kGb)},
       Lanes(2),
       "1 2 0"},
      {"also with one lane, for restores with more", {Table(kGb), Table(2 * kGb)}, Lanes(1), "1 0"},
      {"a small one beside big ones stays",
       {Table(kGb), Table(63 * kMb), Table(kGb)},
       Lanes(2),
       "0 2"},
      {"what is small against the whole stays",
       {Table(100 * kGb), Table(kGb)},
       Lanes(2, 1000 * kGb),
       "0"},
      {"rows that are not dumped are nobody's", {member, empty, Table(kGb)}, Lanes(2), "2"},
      {"what cannot be named stays", {strange, Table(kGb)}, Lanes(2), "1"},
      {"two lanes share the small ones",
       {Table(60 * kMb), Table(60 * kMb), Table(60 * kMb)},
       Lanes(2),
       "1"},
      {"too few of them to share", {Table(40 * kMb), Table(40 * kMb)}, Lanes(8), ""},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Shape(PlanRows(row.tables, row.limits)), row.shape) << row.what;
}

TEST(RowPlan, SplitsATableAboveTheLimitIntoRangesThatMeet) {
  TableWeight no_heap = Table(kGb), toast = Table(kGb);
  no_heap.can_split = false;
  toast.pages = 3;  // nearly all of it is TOAST
  struct Row {
    TableWeight table;
    RowPlanLimits limits;
    const char* shape;
  };
  const Row rows[] = {
      {Table(kGb), Lanes(2, kGb), "0"},
      {Table(kGb), Lanes(2, kGb - 1), "0[0,65536) 0[65536,)"},
      {Table(kGb), Lanes(1, kGb / 3 + 1), "0[0,43691) 0[43691,87382) 0[87382,)"},
      {Table(kGb), Lanes(3, kGb / 2), "0[0,43691) 0[43691,87382) 0[87382,)"},
      {no_heap, Lanes(2, kMb), "0"},
      {toast, Lanes(8, kMb), "0[0,1) 0[1,2) 0[2,)"},
      {Table(2 * kMb), Lanes(2, kMb), "0[0,128) 0[128,)"},
  };
  for (const Row& row : rows) EXPECT_EQ(Shape(PlanRows({row.table}, row.limits)), row.shape);
}

TEST(RowPlan, ManySmallTablesAreSpreadEvenly) {
  const std::vector<TableWeight> tables(10'000, Table(uint64_t{400} << 10));
  const RowPlan plan = PlanRows(tables, Lanes(4));
  ASSERT_EQ(plan.objects.size(), 3u);
  uint64_t least = plan.rest_weight, most = plan.rest_weight;
  for (const RowObject& object : plan.objects) {
    least = std::min(least, object.weight);
    most = std::max(most, object.weight);
  }
  EXPECT_LT(most - least, 2 * kMb);
}

TEST(RowPlan, LargeObjectsAreTheRestsShare) {
  RowPlanLimits limits = Lanes(2);
  limits.other_bytes = 10 * kGb;
  const std::vector<TableWeight> tables(100, Table(10 * kMb));
  const RowPlan plan = PlanRows(tables, limits);
  ASSERT_EQ(plan.objects.size(), 1u);
  EXPECT_EQ(plan.objects[0].tables.size(), 100u);
  EXPECT_EQ(plan.rest_weight, 10 * kGb);
}

TEST(RowPlan, NamesStayWithinWhatACommandLineTakes) {
  std::vector<TableWeight> tables(1000, Table(kMb));
  tables.push_back(Table(kGb));
  RowPlanLimits limits = Lanes(2);
  limits.most_name_bytes = 220;
  const RowPlan plan = PlanRows(tables, limits);
  size_t named = 0;
  for (const RowObject& object : plan.objects) named += object.tables.size();
  EXPECT_EQ(named, 11u);
  EXPECT_EQ(plan.objects[0].tables, std::vector<size_t>{1000});
}

}  // namespace
}  // namespace pgbackup
