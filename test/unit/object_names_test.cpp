#include "core/manifest/object_names.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(ObjectNames, KnowsWhatABackupWrites) {
  for (const char* name :
       {"schema.dump.zst", "data-000.dump.zst", "data-017.dump.zst", "data-1000.dump.zst", "data-003.sql.zst",
        "database.dump.zst", "database.sql.zst", "globals.sql.zst", "contents.json.zst",
        "schema.dump.zst.age", "data-000.dump.zst.part2", "data-000.dump.zst.age.part12"})
    EXPECT_TRUE(IsBackupObjectName(name)) << name;
}

TEST(ObjectNames, TakesNothingElseForIt) {
  for (const char* name : {"",
                           "manifest.json",
                           "contents.json",
                           "notes.txt",
                           "schema.dump",
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

}  // namespace
}  // namespace pgbackup
