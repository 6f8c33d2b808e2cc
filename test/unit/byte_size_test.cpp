#include "core/base/byte_size.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(ByteSize, IsToldInTheUnitThatNeedsFewDigits) {
  EXPECT_EQ(InByteUnits(0), "0 bytes");
  EXPECT_EQ(InByteUnits(10239), "10239 bytes");
  EXPECT_EQ(InByteUnits(10240), "10 kB");
  EXPECT_EQ(InByteUnits(10240 + 512), "11 kB");
  EXPECT_EQ(InByteUnits(uint64_t{10} << 20), "10 MB");
  EXPECT_EQ(InByteUnits((uint64_t{10} << 20) - 1), "10240 kB");
  EXPECT_EQ(InByteUnits(uint64_t{3} << 40), "3072 GB");
  EXPECT_EQ(InByteUnits(UINT64_MAX), "16384 PB");
}

}  // namespace
}  // namespace pgbackup
