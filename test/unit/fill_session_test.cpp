#include "core/restore/load/fill_session.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(IndexMemory, IsRaisedAsFarAsAllTogetherFitIntoTheSharedBuffers) {
  EXPECT_EQ(IndexMemory(64 << 10, 4 << 20, 8), 512 << 10);
  EXPECT_EQ(IndexMemory(64 << 10, 4 << 20, 1), 1 << 20);
  EXPECT_EQ(IndexMemory(64 << 10, 64 << 20, 2), 1 << 20);
}

TEST(IndexMemory, IsNeverLessThanTheServersOwnSetting) {
  EXPECT_EQ(IndexMemory(64 << 10, 128 << 10, 8), 64 << 10);
  EXPECT_EQ(IndexMemory(2 << 20, 64 << 20, 2), 2 << 20);
}

}  // namespace
}  // namespace pgbackup
