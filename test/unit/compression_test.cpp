#include "core/run/compression.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(Compression, AcceptsEveryLevelFrom1To19) {
  Compression compression;
  ASSERT_TRUE(ParseCompression("zstd", &compression));
  EXPECT_EQ(compression.level, 3);
  for (int level = 1; level <= 19; ++level) {
    ASSERT_TRUE(ParseCompression("zstd:" + std::to_string(level), &compression));
    EXPECT_EQ(compression.level, level);
  }
}

TEST(Compression, RefusesEverythingElse) {
  for (const char* text : {"", "zst", "gzip", "zstd:", "zstd:0", "zstd:20", "zstd:-1", "zstd:3 ",
                           "zstd:003", "zstd3", "ZSTD:3", "zstd:1x"}) {
    Compression compression;
    EXPECT_FALSE(ParseCompression(text, &compression)) << text;
  }
}

}  // namespace
}  // namespace pgbackup
