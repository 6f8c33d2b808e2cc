#include "core/manifest/object_names.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(ObjectNames, KnowsWhatABackupWrites) {
  for (const char* name :
       {"schema.dump.zst",      "data-000.dump.zst",       "data-017.dump.zst",
        "data-1000.dump.zst",   "data-003.sql.zst",        "database.dump.zst",
        "database.sql.zst",     "globals.sql.zst",         "contents.json.zst",
        "schema.dump.zst.age",  "data-000.dump.zst.part2", "data-000.dump.zst.age.part12",
        "schema.dump",          "schema.dump.gz",          "data-000.dump.lz4",
        "data-001.sql",         "database.sql.gz",         "database.dump.part2",
        "globals.sql",          "globals.sql.lz4.age",     "globals.sql.age",
        "contents.json.gz.age", "contents.json.age"})
    EXPECT_TRUE(IsBackupObjectName(name)) << name;
}

TEST(ObjectNames, TakesNothingElseForIt) {
  for (const char* name : {"",
                           "manifest.json",
                           "contents.json",
                           "notes.txt",
                           "schema",
                           "schema.dump.bz2",
                           "schema.dump.gz.zst",
                           "schema.zst.dump",
                           "manifest.json.gz",
                           "schema.sql.zst",
                           "globals.dump.zst",
                           "data.dump.zst",
                           "data-.dump.zst",
                           "data-1.dump.zst",
                           "data-0x0.dump.zst",
                           "mydata-000.dump.zst",
                           "x.schema.dump.zst",
                           "schema.dump.zst.bak",
                           "schema.dump.zst.part",
                           "schema.dump.zst.partx",
                           "schema.dump.zst.part2.age",
                           "schema.dump.zst.age.age",
                           "folder/schema.dump.zst",
                           ".zst",
                           ".dump.zst",
                           "database.zst"})
    EXPECT_FALSE(IsBackupObjectName(name)) << name;
}

TEST(ObjectNames, TellTheCodec) {
  struct Case {
    Codec codec;
    const char* suffix;
  };
  for (const Case& known : {Case{Codec::kZstd, ".zst"}, Case{Codec::kGzip, ".gz"},
                            Case{Codec::kLz4, ".lz4"}, Case{Codec::kNone, ""}}) {
    EXPECT_EQ(CodecSuffix(known.codec), known.suffix);
    const std::string name = std::string("data-000.dump") + known.suffix;
    for (const char* behind : {"", ".age", ".part2", ".age.part17"})
      EXPECT_EQ(CodecOfObject(name + behind), known.codec) << name << behind;
  }
  EXPECT_EQ(CodecOfObject("folder.gz/database.sql"), Codec::kNone);
  EXPECT_EQ(CodecOfObject("data-000.dump.gz.part"), Codec::kNone);
  EXPECT_EQ(CodecOfObject(""), Codec::kNone);
}

TEST(ObjectNames, TheKeyOfARunGoesIntoThemAndOut) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  for (const char* name : {"schema.dump", "data-007.sql", "globals.sql", "contents.json"}) {
    const std::string with = WithRunKey(name, key);
    EXPECT_EQ(with, std::string(name).insert(std::string(name).find('.'), ".run01234567"));
    EXPECT_TRUE(IsBackupObjectName(with + ".zst.age.part2")) << with;
    EXPECT_TRUE(HasRunKey(with + ".zst", key));
    EXPECT_FALSE(HasRunKey(with + ".zst", std::string(32, 'f')));
    EXPECT_FALSE(HasRunKey(std::string(name) + ".zst", key));
  }
  for (const char* name :
       {"schema.run0123456.dump", "schema.run0123456X.dump", "other.run01234567.dump"})
    EXPECT_FALSE(IsBackupObjectName(name)) << name;
}

}  // namespace
}  // namespace pgbackup
