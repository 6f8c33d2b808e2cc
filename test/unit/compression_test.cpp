#include "shared/compression.h"

#include <gtest/gtest.h>

#include <string>

namespace pgbackup {
namespace {

TEST(Compression, AcceptsEveryCodecWithEveryLevelItHas) {
  struct Case {
    const char* name;
    Codec codec;
    int usual, highest;
  };
  for (const Case& known : {Case{"zstd", Codec::kZstd, 3, 19}, Case{"gzip", Codec::kGzip, 6, 9},
                            Case{"lz4", Codec::kLz4, 1, 12}}) {
    Compression compression;
    ASSERT_TRUE(ParseCompression(known.name, &compression));
    EXPECT_EQ(compression.codec, known.codec);
    EXPECT_EQ(compression.level, known.usual);
    for (int level = 1; level <= known.highest; ++level) {
      ASSERT_TRUE(ParseCompression(known.name + (":" + std::to_string(level)), &compression));
      EXPECT_EQ(compression.codec, known.codec);
      EXPECT_EQ(compression.level, level);
      EXPECT_FALSE(compression.long_distance);
    }
    EXPECT_FALSE(
        ParseCompression(known.name + (":" + std::to_string(known.highest + 1)), &compression));
  }
}

TEST(Compression, CanBeNone) {
  Compression compression;
  ASSERT_TRUE(ParseCompression("none", &compression));
  EXPECT_EQ(compression.codec, Codec::kNone);
}

TEST(Compression, ZstdCanLookFarBack) {
  Compression compression;
  ASSERT_TRUE(ParseCompression("zstd:9,long", &compression));
  EXPECT_EQ(compression.level, 9);
  EXPECT_TRUE(compression.long_distance);
  ASSERT_TRUE(ParseCompression("zstd,long", &compression));
  EXPECT_EQ(compression.level, 3);
  EXPECT_TRUE(compression.long_distance);
}

TEST(Compression, RefusesEverythingElseAndLeavesTheValueAlone) {
  for (const char* text : {"",          "zst",        "zstd:",    "zstd:0",      "zstd:-1",
                           "zstd:3 ",   " zstd:3",    "zstd:003", "zstd3",       "ZSTD:3",
                           "zstd:1x",   "zstd:,long", "zstd:3,",  "zstd:3,LONG", "zstd:3,long,long",
                           ",long",     "long",       "gzip:0",   "gzip:03",     "gzip:3,long",
                           "gzip,long", "lz4:0",      "lz4hc",    "lz4,long",    "none:1",
                           "none:",     "none,long",  "nonegzip", "bzip2"}) {
    Compression compression{Codec::kGzip, 7, false};
    EXPECT_FALSE(ParseCompression(text, &compression)) << text;
    EXPECT_EQ(compression.codec, Codec::kGzip) << text;
    EXPECT_EQ(compression.level, 7) << text;
  }
}

}  // namespace
}  // namespace pgbackup
