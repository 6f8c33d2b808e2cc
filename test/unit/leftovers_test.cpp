#include "core/maintenance/leftovers.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

const WallTime kLimit{std::chrono::hours(1000)};
const WallTime kOld = kLimit - std::chrono::seconds(1);
const WallTime kYoung = kLimit + std::chrono::seconds(1);

class LeftoversTest : public ::testing::Test {
 protected:
  void Object(const std::string& name, std::optional<WallTime> modified = kOld) {
    leftovers_.Add(ObjectInfo{name, 10, modified});
  }
  void Upload(const std::string& name, std::optional<WallTime> touched = kOld) {
    leftovers_.Add(UnfinishedUpload{name, "id", touched});
  }
  bool IsLeftover(const std::string& folder) const {
    return Leftovers::HasOnlyLeftovers(leftovers_.folders().at(folder));
  }

  Leftovers leftovers_{kLimit};
};

TEST_F(LeftoversTest, AFolderWithoutAManifestIsOne) {
  Object("a/b/schema.dump.zst");
  Object("a/b/data-000.dump.zst", kLimit);
  EXPECT_TRUE(IsLeftover("a/b"));
  EXPECT_EQ(leftovers_.folders().at("a/b").ours, 2u);
  EXPECT_EQ(leftovers_.folders().at("a/b").bytes, 20u);
}

TEST_F(LeftoversTest, ABackupIsNone) {
  Object("a/database.dump.zst");
  Object("a/manifest.json");
  EXPECT_FALSE(IsLeftover("a"));
}

TEST_F(LeftoversTest, AManifestBelowCountsForItsOwnFolderOnly) {
  Object("a/database.dump.zst");
  Object("a/b/manifest.json");
  Object("ab/manifest.json");
  EXPECT_TRUE(IsLeftover("a"));
}

TEST_F(LeftoversTest, OneYoungObjectProtectsItsFolder) {
  for (const char* young : {"globals.sql.zst", "notes.txt"}) {
    leftovers_ = Leftovers(kLimit);
    Object("a/database.dump.zst");
    Object(std::string("a/") + young, kYoung);
    EXPECT_FALSE(IsLeftover("a")) << young;
  }
}

TEST_F(LeftoversTest, WhatHasNoAgeIsYoung) {
  Object("a/database.dump.zst", std::nullopt);
  EXPECT_FALSE(IsLeftover("a"));
  Upload("b/database.dump.zst", std::nullopt);
  EXPECT_EQ(leftovers_.folders().at("b").uploads, 0u);
}

TEST_F(LeftoversTest, AnUploadThatGoesOnProtectsItsFolder) {
  Object("a/schema.dump.zst");
  Upload("a/data-000.dump.zst", kYoung);
  EXPECT_FALSE(IsLeftover("a"));
  Object("b/schema.dump.zst");
  Upload("b/somebody.else", kYoung);
  EXPECT_FALSE(IsLeftover("b"));
}

TEST_F(LeftoversTest, OldUploadsCountAlsoBesideAManifest) {
  Object("a/manifest.json");
  Upload("a/data-000.dump.zst");
  Upload("a/manifest.json");
  Upload("a/.pgbackup-0011.tmp");
  EXPECT_EQ(leftovers_.folders().at("a").uploads, 3u);
  EXPECT_FALSE(IsLeftover("a"));
}

TEST_F(LeftoversTest, WhatOthersWriteIsNotOurs) {
  Object("a/else.txt");
  Object("database.dump.zst");
  Upload("a/else.bin");
  Upload("database.dump.zst");
  EXPECT_FALSE(IsLeftover("a"));
  EXPECT_FALSE(IsLeftover(""));
  EXPECT_EQ(leftovers_.folders().at("a").uploads, 0u);
  EXPECT_EQ(leftovers_.folders().at("").uploads, 0u);
  EXPECT_EQ(leftovers_.folders().at("a").foreign, 1u);
}

TEST_F(LeftoversTest, NamesThatNoStorageGivesAreNotOurs) {
  for (const char* folder : {"a//b", "/a", "a/../b", "a/\xff"}) {
    Object(std::string(folder) + "/schema.dump.zst");
    Upload(std::string(folder) + "/manifest.json");
    EXPECT_FALSE(IsLeftover(folder)) << folder;
    EXPECT_EQ(leftovers_.folders().at(folder).uploads, 0u) << folder;
  }
}

TEST_F(LeftoversTest, WhatAKilledCheckLeftIsOne) {
  Object(".pgbackup-check/0011/probe-object");
  Upload(".pgbackup-check/0011/probe-multipart");
  EXPECT_TRUE(IsLeftover(".pgbackup-check/0011"));
  EXPECT_EQ(leftovers_.folders().at(".pgbackup-check/0011").uploads, 1u);
  Object("other/0011/probe-object");
  EXPECT_FALSE(IsLeftover("other/0011"));
}

}  // namespace
}  // namespace pgbackup
