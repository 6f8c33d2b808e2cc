#include "core/restore/restore_plan.h"

#include "core/restore/target_database.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

ManifestObject Object(const char* name, std::vector<std::string> sections,
                      ObjectKind kind = ObjectKind::kArchive) {
  ManifestObject object;
  object.name = name;
  object.kind = kind;
  object.sections = std::move(sections);
  return object;
}

Manifest Parallel() {
  Manifest manifest;
  manifest.format = DumpFormat::kParallel;
  manifest.objects = {Object("schema", {"pre-data", "post-data"}), Object("data-000", {"data"}),
                      Object("data-001", {"data"}), Object("globals", {}, ObjectKind::kGlobals)};
  return manifest;
}

using Arguments = std::vector<std::string>;

TEST(RestorePlan, AParallelBackupGoesSectionBySectionAndItsDataAtOnce) {
  RestoreOptions options;
  options.jobs = 4;
  const RestorePlan plan = MakeRestorePlan(Parallel(), options);
  ASSERT_EQ(plan.steps.size(), 3u);
  EXPECT_EQ(plan.steps[0].phase, "pre-data");
  EXPECT_TRUE(plan.steps[0].tasks[0].from_memory);
  EXPECT_EQ(plan.steps[0].tasks[0].arguments, (Arguments{"--exit-on-error", "--section=pre-data"}));
  ASSERT_EQ(plan.steps[1].tasks.size(), 2u);
  EXPECT_EQ(plan.steps[1].tasks[1].object, 2u);
  EXPECT_FALSE(plan.steps[1].tasks[1].from_memory);
  EXPECT_EQ(plan.steps[1].tasks[1].arguments, (Arguments{"--exit-on-error", "--section=data"}));
  EXPECT_EQ(plan.steps[2].tasks[0].arguments,
            (Arguments{"--exit-on-error", "--section=post-data", "--jobs=4"}));
}

TEST(RestorePlan, OneArchiveIsOneStream) {
  Manifest manifest;
  manifest.objects = {Object("database", {"pre-data", "data", "post-data"})};
  const RestorePlan plan = MakeRestorePlan(manifest, {});
  ASSERT_EQ(plan.steps.size(), 1u);
  EXPECT_FALSE(plan.steps[0].tasks[0].from_memory);
  EXPECT_EQ(plan.steps[0].tasks[0].program, "pg_restore");
  EXPECT_EQ(plan.steps[0].tasks[0].arguments, Arguments{"--exit-on-error"});
}

TEST(RestorePlan, PlainFormatStopsAtTheFirstErrorAndReadsNoStartUpFile) {
  Manifest manifest;
  manifest.format = DumpFormat::kPlain;
  manifest.objects = {Object("database", {"pre-data", "data", "post-data"}, ObjectKind::kSql)};
  const RestoreTask task = MakeRestorePlan(manifest, {}).steps[0].tasks[0];
  EXPECT_EQ(task.program, "psql");
  EXPECT_EQ(task.arguments[0], "--no-psqlrc");
  EXPECT_NE(std::find(task.arguments.begin(), task.arguments.end(), "--set=ON_ERROR_STOP=1"),
            task.arguments.end());
  RestoreOptions schema;
  schema.content = DumpContent::kSchema;
  EXPECT_EQ(ErrorOf([&] { MakeRestorePlan(manifest, schema); }).kind(), ErrorKind::kInvalid);
}

TEST(RestorePlan, SchemaAloneLeavesTheDataObjectsOut) {
  RestoreOptions options;
  options.content = DumpContent::kSchema;
  const RestorePlan plan = MakeRestorePlan(Parallel(), options);
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_EQ(plan.steps[0].tasks[0].arguments,
            (Arguments{"--exit-on-error", "--schema-only", "--section=pre-data"}));
}

TEST(RestorePlan, SingleTablesNeedTheirSchemas) {
  Manifest manifest = Parallel();
  manifest.selection.tables = {"app.t", "App.u", "\"X\".v"};
  EXPECT_EQ(MakeRestorePlan(manifest, {}).schemas_to_create, (Arguments{"app", "X"}));
}

TEST(RestorePlan, MakesRoomForASelectedSchemaPublic) {
  Manifest manifest = Parallel();
  EXPECT_FALSE(MakeRestorePlan(manifest, {}).drop_public_schema);
  manifest.selection.schemas = {"app", "public"};
  EXPECT_TRUE(MakeRestorePlan(manifest, {}).drop_public_schema);
  manifest.selection.schemas = {"app"};
  EXPECT_FALSE(MakeRestorePlan(manifest, {}).drop_public_schema);
}

TEST(RestorePlan, RefusesWhatWouldNotBeADatabase) {
  Manifest manifest = Parallel();
  manifest.content = DumpContent::kData;
  EXPECT_EQ(ErrorOf([&] { MakeRestorePlan(manifest, {}); }).kind(), ErrorKind::kInvalid);
  RestoreOptions data;
  data.content = DumpContent::kData;
  EXPECT_EQ(ErrorOf([&] { MakeRestorePlan(Parallel(), data); }).kind(), ErrorKind::kInvalid);
  Manifest empty;
  EXPECT_EQ(ErrorOf([&] { MakeRestorePlan(empty, {}); }).kind(), ErrorKind::kInvalid);
}

TEST(SideDatabaseName, FitsIntoANameWithoutCuttingACharacter) {
  EXPECT_EQ(SideDatabaseName("app", 7), "app__restore_7");
  EXPECT_EQ(SideDatabaseName(std::string(63, 'x'), 12345),
            std::string(48, 'x') + "__restore_12345");
  const std::string name =
      SideDatabaseName(std::string(47, 'x') + "\xC3\xA4" + "yyyyyyyyyyyyy", 12345);
  EXPECT_EQ(name, std::string(47, 'x') + "__restore_12345");
}

}  // namespace
}  // namespace pgbackup
