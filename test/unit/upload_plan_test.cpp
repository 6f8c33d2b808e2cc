#include "core/s3/upload_plan.h"

#include <gtest/gtest.h>

#include "error_test_support.h"

namespace pgbackup {
namespace {

constexpr uint64_t kMiB = 1ull << 20, kGiB = 1ull << 30, kTiB = 1ull << 40;
constexpr uint64_t kFiftyTb = 50'000'000'000'000;

struct Row {
  uint64_t part_size;
  uint64_t size;        // of the stream
  uint64_t objects;     // in all
  uint64_t last_size;   // of the last object
  uint64_t last_parts;  // 0: a single PUT
  uint64_t last_part;   // bytes
};

TEST(UploadPlan, Table) {
  constexpr uint64_t kFull = uint64_t{900} * 32 * kMiB;
  const Row rows[] = {
      // Within one object.
      {32 * kMiB, 0, 1, 0, 0, 0},
      {32 * kMiB, 1, 1, 1, 0, 1},
      {32 * kMiB, 32 * kMiB - 1, 1, 32 * kMiB - 1, 0, 32 * kMiB - 1},
      {32 * kMiB, 32 * kMiB, 1, 32 * kMiB, 0, 32 * kMiB},
      {32 * kMiB, 32 * kMiB + 1, 1, 32 * kMiB + 1, 2, 1},
      {32 * kMiB, 64 * kMiB, 1, 64 * kMiB, 2, 32 * kMiB},
      {32 * kMiB, kFull - 1, 1, kFull - 1, 900, 32 * kMiB - 1},
      {32 * kMiB, kFull, 1, kFull, 900, 32 * kMiB},
      // And one byte more.
      {32 * kMiB, kFull + 1, 2, 1, 0, 1},
      {32 * kMiB, kFull + 32 * kMiB + 1, 2, 32 * kMiB + 1, 2, 1},
      {32 * kMiB, 2 * kFull, 2, kFull, 900, 32 * kMiB},
      {32 * kMiB, 2 * kFull + 1, 3, 1, 0, 1},
      // Large ones.
      {32 * kMiB, kTiB, 37, kTiB - 36 * kFull, 368, 32 * kMiB},
      {32 * kMiB, kFiftyTb, 1656, 20'673'536'000, 617, 4'005'888},
      {5 * kMiB, kFiftyTb, 10'597, 1'799'168'000, 344, 860'160},
      {kGiB, kFiftyTb, 52, 715'250'278'400, 667, 138'223'616},
      {5 * kGiB, kFiftyTb, 11, 1'681'617'920'000, 314, 1'211'965'440},
      {5 * kGiB, 4500 * kGiB, 1, 4500 * kGiB, 900, 5 * kGiB},
      {5 * kGiB, 4500 * kGiB + 1, 2, 1, 0, 1},
  };
  for (const Row& row : rows) {
    const StreamPlan plan = PlanStream(row.size, LimitsOfUpload(row.part_size));
    const auto where = ::testing::Message() << row.size << " in parts of " << row.part_size;
    EXPECT_EQ(plan.objects(), row.objects) << where;
    EXPECT_EQ(plan.last, (ObjectPlan{row.last_size, row.last_parts, row.last_part})) << where;
    EXPECT_EQ(plan.full, (ObjectPlan{900 * row.part_size, 900, row.part_size})) << where;
  }
}

TEST(UploadPlan, AnObjectIsNeverLargerThanStoresTake) {
  EXPECT_EQ(LimitsOfUpload(5 * kGiB).parts, 900u);
  EXPECT_EQ(LimitsOfUpload(5 * kGiB, 10'000).parts, 1024u);
  EXPECT_EQ(LimitsOfUpload(5 * kGiB, 10'000).ObjectSize(), 5 * kTiB);
  EXPECT_EQ(LimitsOfUpload(3 * kGiB, 10'000).parts, 1706u);
  EXPECT_LE(LimitsOfUpload(3 * kGiB, 10'000).ObjectSize(), 5 * kTiB);
}

TEST(UploadPlan, RefusesPartsThatNoStoreTakes) {
  for (const uint64_t size : {uint64_t{0}, 5 * kMiB - 1, 5 * kGiB + 1, UINT64_MAX}) {
    const Error error = ErrorOf([&] { LimitsOfUpload(size); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(error.message(), "invalid value of pgbackup.s3_part_size");
  }
  EXPECT_EQ(LimitsOfUpload(5 * kMiB).part_size, 5 * kMiB);
}

uint64_t BytesOf(const ObjectPlan& object, uint64_t part_size) {
  return object.parts == 0 ? object.last_part : (object.parts - 1) * part_size + object.last_part;
}

void ExpectSound(const ObjectPlan& object, const UploadLimits& limits) {
  EXPECT_EQ(BytesOf(object, limits.part_size), object.size);
  EXPECT_LE(object.last_part, limits.part_size);
  EXPECT_LE(object.parts, limits.parts);
  EXPECT_LE(object.size, kMostObjectSize);
  EXPECT_NE(object.parts, 1u);
  if (object.parts > 0) {
    EXPECT_GT(object.last_part, 0u);
  }
}

// Whatever the size: every byte has one place, all parts but an object's last and all objects but
// the stream's last are equal, and no limit is exceeded.
TEST(UploadPlan, HoldsForAnySizeUpToFiftyTerabytes) {
  uint64_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const uint64_t part_size =
        kLeastPartSize + (state >> 11) % (kMostPartSize - kLeastPartSize + 1);
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    // As many small sizes as large ones.
    const uint64_t size = (state >> 11) % ((kFiftyTb >> (i % 46)) + 1);
    const UploadLimits limits = LimitsOfUpload(part_size);
    const StreamPlan plan = PlanStream(size, limits);
    ExpectSound(plan.full, limits);
    ExpectSound(plan.last, limits);
    EXPECT_EQ(plan.full_objects * plan.full.size + plan.last.size, size);
    EXPECT_EQ(plan.full.size, limits.ObjectSize());
    EXPECT_EQ(plan.last.size == 0, size == 0);
    if (::testing::Test::HasFailure()) FAIL() << size << " in parts of " << part_size;
  }
}

}  // namespace
}  // namespace pgbackup
