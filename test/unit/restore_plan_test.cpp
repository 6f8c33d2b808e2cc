#include "core/restore/plan/restore_plan.h"

#include "core/restore/target/target_database.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

ManifestObject Object(const char* name, std::vector<std::string> sections,
                      ObjectKind kind = ObjectKind::kArchive) {
  ManifestObject object;
  object.name = name;
  object.kind = kind;
  object.sections = std::move(sections);
  return object;
}

ManifestObject Rows(const char* name, std::vector<QualifiedName> tables, uint64_t raw_size,
                    ObjectKind kind = ObjectKind::kArchive) {
  ManifestObject object = Object(name, {"data"}, kind);
  object.tables = std::move(tables);
  object.raw_size = raw_size;
  if (kind == ObjectKind::kCopy) object.copy = CopyRange{{"a"}, 0, std::nullopt};
  return object;
}

Manifest Parallel() {
  Manifest manifest;
  manifest.format = DumpFormat::kParallel;
  manifest.user_code = UserCode();
  manifest.objects = {Object("schema", {"pre-data", "post-data"}), Object("data-000", {"data"}),
                      Object("data-001", {"data"}), Object("globals", {}, ObjectKind::kGlobals)};
  return manifest;
}

// Tables big (two ranges) and mid (an archive) with a primary key and two indexes, bundled small
// ones, and the rest.
Manifest Laned() {
  Manifest manifest = Parallel();
  manifest.objects = {Object("schema", {"pre-data", "post-data"}),
                      Rows("data-000", {}, 5 * kMegabyte),
                      Rows("data-001", {{"s", "big"}}, 100 * kMegabyte, ObjectKind::kCopy),
                      Rows("data-002", {{"s", "big"}}, 101 * kMegabyte, ObjectKind::kCopy),
                      Rows("data-003", {{"s", "mid"}}, 20 * kMegabyte),
                      Rows("data-004", {{"s", "x"}, {"s", "y"}}, 9 * kMegabyte)};
  return manifest;
}

ArchiveToc LanedToc() {
  ArchiveToc toc;
  const auto add = [&](int64_t id, TocSection section, const char* kind, const char* tag,
                       std::vector<int64_t> depends_on = {}) {
    toc.entries.push_back({id, kind, tag, "s", std::move(depends_on), section, false});
  };
  add(1, TocSection::kPreData, "TABLE", "big");
  add(2, TocSection::kPreData, "TABLE", "mid");
  add(3, TocSection::kPreData, "TABLE", "x");
  add(10, TocSection::kPostData, "CONSTRAINT", "big big_pkey", {1});
  add(11, TocSection::kPostData, "CONSTRAINT", "mid mid_pkey", {2});
  add(12, TocSection::kPostData, "CONSTRAINT", "x x_pkey", {3});
  add(13, TocSection::kPostData, "INDEX", "big_a", {1});
  add(14, TocSection::kPostData, "INDEX", "big_b", {1});
  add(15, TocSection::kPostData, "FK CONSTRAINT", "big big_mid_fkey", {1, 2, 11});
  return toc;
}

RestoreContents ContentsOf(const Manifest& manifest) {
  RestoreContents contents;
  for (const ManifestObject& object : manifest.objects) contents.tables.push_back(object.tables);
  return contents;
}

RestorePlan PlanOf(const Manifest& manifest, const RestoreOptions& options = {}) {
  return MakeRestorePlan(manifest, options, ContentsOf(manifest));
}

RestorePlan LanedPlan() {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  return MakeRestorePlan(Laned(), {}, contents);
}

using Arguments = std::vector<std::string>;
using Tasks = std::vector<size_t>;

TEST(RestorePlan, AParallelBackupGoesSectionBySectionAndItsDataAtOnce) {
  RestoreOptions options;
  options.jobs = 4;
  const auto tasks = PlanOf(Parallel(), options).tasks;
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_EQ(tasks[0].phase, "pre-data");
  EXPECT_TRUE(tasks[0].from_memory);
  EXPECT_EQ(tasks[0].arguments, (Arguments{"--exit-on-error", "--section=pre-data"}));
  EXPECT_TRUE(tasks[0].after.empty());
  for (const size_t data : {1, 2}) {
    EXPECT_EQ(tasks[data].object, data);
    EXPECT_FALSE(tasks[data].from_memory);
    EXPECT_EQ(tasks[data].arguments, (Arguments{"--exit-on-error", "--section=data"}));
    EXPECT_EQ(tasks[data].after, Tasks{0});
  }
  EXPECT_EQ(tasks[3].arguments, (Arguments{"--exit-on-error", "--section=post-data", "--jobs=4"}));
  EXPECT_EQ(tasks[3].after, (Tasks{0, 1, 2}));
  EXPECT_FALSE(tasks[3].list.has_value());
}

TEST(RestorePlan, RowsComeLargestFirstAndRangesGoToACopyOfOurs) {
  const auto tasks = LanedPlan().tasks;
  EXPECT_EQ(tasks[1].object, 3u);
  EXPECT_EQ(tasks[1].program, "");
  EXPECT_EQ(tasks[2].object, 2u);
  EXPECT_EQ(tasks[3].object, 4u);
  EXPECT_EQ(tasks[3].program, "pg_restore");
  EXPECT_EQ(tasks[4].object, 5u);
  EXPECT_EQ(tasks[5].object, 1u);
}

TEST(RestorePlan, ALargeTablesBuildsBeginWhenAllItsRowsAreIn) {
  const auto tasks = LanedPlan().tasks;
  ASSERT_EQ(tasks.size(), 12u);
  EXPECT_EQ(tasks[6].what, "constraint \"big_pkey\" of table \"s\".\"big\"");
  EXPECT_EQ(tasks[6].list, "10;\n");
  EXPECT_EQ(tasks[6].after, (Tasks{1, 2}));
  EXPECT_EQ(tasks[6].arguments, (Arguments{"--exit-on-error", "--section=post-data"}));
  // Indexes at the same time, but not beside the constraint.
  EXPECT_EQ(tasks[7].what, "index \"big_a\" of table \"s\".\"big\"");
  EXPECT_EQ(tasks[7].after, Tasks{6});
  EXPECT_EQ(tasks[8].after, Tasks{6});
  EXPECT_EQ(tasks[9].list, "11;\n");
  EXPECT_EQ(tasks[9].after, Tasks{3});
}

TEST(RestorePlan, EverythingElseComesAtTheEndForeignKeysLast) {
  const auto tasks = LanedPlan().tasks;
  EXPECT_EQ(tasks[10].phase, "indexes");
  EXPECT_EQ(tasks[10].list, "12;\n");  // a small table's
  EXPECT_EQ(tasks[10].after.size(), 10u);
  EXPECT_EQ(tasks[11].phase, "post-data");
  EXPECT_EQ(tasks[11].list, "15;\n");
  EXPECT_EQ(tasks[11].after.size(), 11u);
}

TEST(RestorePlan, SmallTablesIndexesThatAlterTheirTableAreBuiltOneByOne) {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  for (const int64_t id : {16, 17})
    contents.definitions->entries.push_back(
        {id, "INDEX", "x_clustered", "s", {3}, TocSection::kPostData, id == 16});
  RestoreOptions options;
  options.jobs = 4;
  const auto tasks = MakeRestorePlan(Laned(), options, contents).tasks;
  ASSERT_EQ(tasks.size(), 13u);
  EXPECT_EQ(tasks[10].list, "16;\n");
  EXPECT_EQ(tasks[10].arguments.back(), "--jobs=1");
  EXPECT_EQ(tasks[11].list, "12;\n17;\n");
  EXPECT_EQ(tasks[11].arguments.back(), "--jobs=4");
  EXPECT_EQ(tasks[11].after.back(), 10u);
}

TEST(RestorePlan, AnIndexThatNeedsSomethingElseOfThePostDataComesWithThat) {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  const auto add = [&](int64_t id, const char* kind, std::vector<int64_t> depends_on) {
    contents.definitions->entries.push_back(
        {id, kind, "x", "s", std::move(depends_on), TocSection::kPostData, false});
  };
  add(16, "FUNCTION", {12});
  add(17, "INDEX", {3, 16});
  add(18, "INDEX ATTACH", {17, 12});
  add(19, "INDEX ATTACH", {12});
  const auto tasks = MakeRestorePlan(Laned(), {}, contents).tasks;
  EXPECT_EQ(tasks[10].list, "12;\n19;\n");
  EXPECT_EQ(tasks[11].list, "15;\n16;\n17;\n18;\n");
}

TEST(RestorePlan, WithExtensionsBuildsWaitForTheRowsTheirFunctionsMayRead) {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  contents.definitions->entries.push_back(
      {20, "EXTENSION", "postgis", "", {}, TocSection::kPreData, false});
  const auto tasks = MakeRestorePlan(Laned(), {}, contents).tasks;
  EXPECT_EQ(tasks[6].after, (Tasks{1, 2, 5}));
  EXPECT_EQ(tasks[9].after, (Tasks{3, 5}));
}

// With OIDs, which are the entries' ids here, and code of the database.
RestoreContents ContentsWithCode() {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  for (TocEntry& entry : contents.definitions->entries) entry.oid = static_cast<uint32_t>(entry.id);
  contents.definitions->entries.push_back(
      {30, "FUNCTION", "f()", "s", {}, TocSection::kPreData, false});
  contents.definitions->entries.push_back({5, "TABLE", "y", "s", {}, TocSection::kPreData, false});
  contents.definitions->entries.back().oid = 5;
  ArchiveToc& rest = contents.archives[1];
  rest.entries = {{40, "TABLE DATA", "small", "s", {}, TocSection::kData, false},
                  {41, "SEQUENCE SET", "seq", "s", {}, TocSection::kData, false}};
  rest.entries[0].oid = 4;
  return contents;
}

TEST(RestorePlan, RowsThatCallCodeAreLoadedLastAndOneAfterTheOther) {
  Manifest manifest = Laned();
  manifest.user_code->tables = {1, 4};
  const auto tasks = MakeRestorePlan(manifest, {}, ContentsWithCode()).tasks;
  EXPECT_EQ(tasks[1].object, 4u);
  EXPECT_EQ(tasks[2].object, 5u);
  for (const size_t early : {1, 2}) EXPECT_EQ(tasks[early].after, Tasks{0});
  EXPECT_EQ(tasks[3].object, 2u);
  EXPECT_EQ(tasks[3].after, (Tasks{0, 1, 2}));
  EXPECT_EQ(tasks[4].object, 3u);
  EXPECT_EQ(tasks[4].after, Tasks{3});
  EXPECT_EQ(tasks[5].list, "40;\n");
  EXPECT_EQ(tasks[5].after, Tasks{4});
  EXPECT_FALSE(tasks[5].from_memory);
  EXPECT_EQ(tasks[6].list, "41;\n");
  EXPECT_TRUE(tasks[6].from_memory);
  EXPECT_EQ(tasks[6].object, 1u);
  // What is built in may be built while others are loaded.
  EXPECT_EQ(tasks[7].what, "constraint \"big_pkey\" of table \"s\".\"big\"");
  EXPECT_EQ(tasks[7].after, (Tasks{3, 4}));
}

TEST(RestorePlan, AnArchiveThatIsReadTwiceCountsTwice) {
  Manifest manifest = Laned();
  manifest.user_code->tables = {4};
  RestoreContents contents = ContentsWithCode();
  contents.archives[1].entries.push_back({42, "BLOB", "1", "", {}, TocSection::kData, false});
  EXPECT_EQ(BytesToRead(manifest, MakeRestorePlan(manifest, {}, contents)), 240 * kMegabyte);
}

TEST(RestorePlan, WhatCallsCodeIsBuiltAtTheEndInTheArchivesOrder) {
  Manifest manifest = Laned();
  manifest.user_code->indexes = {14};
  manifest.user_code->constraints = {11, 15};
  RestoreContents contents = ContentsWithCode();
  contents.definitions->entries.push_back(
      {31, "EVENT TRIGGER", "e", "", {30}, TocSection::kPostData, false});
  contents.definitions->entries.push_back(
      {32, "TRIGGER", "t", "s", {1}, TocSection::kPostData, false});
  RestoreOptions options;
  options.jobs = 4;
  const auto tasks = MakeRestorePlan(manifest, options, contents).tasks;
  std::string lists;
  for (const RestoreTask& task : tasks)
    if (task.phase != "data" && task.list) lists += *task.list + task.arguments.back() + "\n";
  EXPECT_EQ(lists,
            "10;\n--section=post-data\n"
            "13;\n--section=post-data\n"
            "12;\n--jobs=4\n"
            "11;\n14;\n--jobs=1\n"
            "32;\n--jobs=4\n"
            "15;\n31;\n--jobs=1\n");
}

TEST(RestorePlan, RowsThatCallCodeOfExtensionsWaitForTheRest) {
  Manifest manifest = Laned();
  manifest.user_code->extension_tables = {2};
  RestoreContents contents = ContentsWithCode();
  contents.archives.clear();
  const auto tasks = MakeRestorePlan(manifest, {}, contents).tasks;
  EXPECT_EQ(tasks[1].object, 1u);
  EXPECT_EQ(tasks[2].object, 3u);
  EXPECT_EQ(tasks[2].after, Tasks{0});
  EXPECT_EQ(tasks[4].object, 4u);
  EXPECT_EQ(tasks[4].after, (Tasks{0, 1}));
}

TEST(RestorePlan, OfAnOlderBackupWithCodeNothingIsAtOnceOrEarly) {
  Manifest manifest = Laned();
  manifest.user_code.reset();
  RestoreContents contents = ContentsWithCode();
  contents.archives[5].entries = {{50, "TABLE DATA", "x", "s", {}, TocSection::kData, false},
                                  {51, "TABLE DATA", "y", "s", {}, TocSection::kData, false}};
  const auto tasks = MakeRestorePlan(manifest, {}, contents).tasks;
  std::string objects;
  for (size_t task = 1; task < tasks.size() && tasks[task].phase == "data"; ++task) {
    objects += std::to_string(tasks[task].object);
    EXPECT_EQ(tasks[task].after, Tasks{task - 1}) << task;
  }
  EXPECT_EQ(objects, "234151");  // big, mid, small, x and y, the sequence
  EXPECT_EQ(tasks[7].list, "10;\n11;\n12;\n13;\n14;\n");

  contents = ContentsOf(manifest);
  contents.definitions = LanedToc();
  EXPECT_EQ(MakeRestorePlan(manifest, {}, contents).tasks.size(), LanedPlan().tasks.size())
      << "without code it is as ever";
}

TEST(RestorePlan, OfAPartOnlyItsObjectsAreReadAndItsEntriesRestored) {
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  using Take = ObjectPart::Take;
  contents.parts = {{Take::kListed, "2;\n11;\n"}, {Take::kNothing, ""}, {Take::kNothing, ""},
                    {Take::kNothing, ""},         {Take::kAll, ""},     {Take::kListed, "7;\n"}};
  contents.wanted = {2, 11};
  const RestorePlan plan = MakeRestorePlan(Laned(), {}, contents);
  ASSERT_EQ(plan.tasks.size(), 4u);  // nothing is left for the end
  EXPECT_EQ(plan.tasks[0].list, "2;\n11;\n");
  EXPECT_EQ(plan.tasks[1].object, 4u);
  EXPECT_FALSE(plan.tasks[1].list.has_value());
  EXPECT_EQ(plan.tasks[2].list, "7;\n");
  EXPECT_EQ(plan.tasks[3].list, "11;\n");
  EXPECT_EQ(BytesToRead(Laned(), plan), 29 * kMegabyte);
}

TEST(RestorePlan, TheScheduleIsThatOfTheTasks) {
  const RestorePlan plan = LanedPlan();
  EXPECT_EQ(BytesToRead(Laned(), plan), 235 * kMegabyte);
  const std::vector<ScheduledTask> schedule = ScheduleOf(plan);
  EXPECT_EQ(schedule[1].cost, 101 * kMegabyte);
  EXPECT_EQ(schedule[6].cost, 67 * kMegabyte);  // a third of the table's rows
  EXPECT_EQ(schedule[6].after, (Tasks{1, 2}));
}

TEST(RestorePlan, OneArchiveIsOneStream) {
  Manifest manifest;
  manifest.objects = {Object("database", {"pre-data", "data", "post-data"})};
  const auto tasks = PlanOf(manifest).tasks;
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_FALSE(tasks[0].from_memory);
  EXPECT_EQ(tasks[0].program, "pg_restore");
  EXPECT_EQ(tasks[0].arguments, Arguments{"--exit-on-error"});
}

TEST(RestorePlan, PlainFormatStopsAtTheFirstErrorAndReadsNoStartUpFile) {
  Manifest manifest;
  manifest.format = DumpFormat::kPlain;
  manifest.objects = {Object("database", {"pre-data", "data", "post-data"}, ObjectKind::kSql)};
  const RestoreTask task = PlanOf(manifest).tasks[0];
  EXPECT_EQ(task.program, "psql");
  EXPECT_EQ(task.arguments[0], "--no-psqlrc");
  EXPECT_NE(std::find(task.arguments.begin(), task.arguments.end(), "--set=ON_ERROR_STOP=1"),
            task.arguments.end());
  RestoreOptions schema;
  schema.content = DumpContent::kSchema;
  EXPECT_EQ(ErrorOf([&] { CheckRestorable(manifest, schema); }).kind(), ErrorKind::kInvalid);
}

TEST(RestorePlan, TablespacesCanBeLeftOut) {
  RestorePlan plan = LanedPlan();
  LeaveOutTablespaces(&plan);
  for (const RestoreTask& task : plan.tasks)
    EXPECT_EQ(std::count(task.arguments.begin(), task.arguments.end(), "--no-tablespaces"),
              task.program == "pg_restore" ? 1 : 0)
        << task.what;
}

TEST(RestorePlan, PastErrorsProgramsGoOnAndWithoutWorkers) {
  RestoreOptions options;
  options.jobs = 4;
  options.on_error = OnError::kContinue;
  const auto tasks = PlanOf(Parallel(), options).tasks;
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_EQ(tasks[0].arguments, (Arguments{"--verbose", "--section=pre-data"}));
  EXPECT_EQ(tasks[3].arguments, (Arguments{"--verbose", "--section=post-data"}));
  Manifest script = Parallel();
  script.format = DumpFormat::kPlain;
  EXPECT_EQ(ErrorOf([&] { CheckRestorable(script, options); }).kind(), ErrorKind::kInvalid);
}

TEST(RestorePlan, SchemaAloneLeavesTheDataObjectsOut) {
  RestoreOptions options;
  options.content = DumpContent::kSchema;
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  const auto tasks = MakeRestorePlan(Laned(), options, contents).tasks;
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[0].arguments,
            (Arguments{"--exit-on-error", "--schema-only", "--section=pre-data"}));
  EXPECT_EQ(tasks[1].list, "10;\n11;\n12;\n13;\n14;\n");
  EXPECT_EQ(tasks[2].list, "15;\n");
}

TEST(RestorePlan, DataAloneBuildsNothingOnTheRows) {
  RestoreOptions options;
  options.content = DumpContent::kData;
  RestoreContents contents = ContentsOf(Laned());
  contents.definitions = LanedToc();
  const auto tasks = MakeRestorePlan(Laned(), options, contents).tasks;
  ASSERT_EQ(tasks.size(), 6u);
  EXPECT_EQ(tasks[0].arguments, (Arguments{"--exit-on-error", "--section=pre-data"}));
  for (size_t i = 1; i < tasks.size(); ++i) {
    EXPECT_EQ(tasks[i].phase, "data");
    EXPECT_EQ(tasks[i].after, std::vector<size_t>{0});
  }

  Manifest custom = Parallel();
  custom.format = DumpFormat::kCustom;
  custom.objects = {Object("database", {"pre-data", "data", "post-data"})};
  const auto whole = MakeRestorePlan(custom, options, ContentsOf(custom)).tasks;
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].arguments,
            (Arguments{"--exit-on-error", "--section=pre-data", "--section=data"}));
}

// Privileges come with what precedes the rows, so owners have them while rows are loaded.
TEST(RestorePlan, AnArchiveOfEverythingIsRestoredInThreeSteps) {
  Manifest custom = Parallel();
  custom.format = DumpFormat::kCustom;
  custom.objects = {Object("database", {"pre-data", "data", "post-data"})};
  RestoreContents contents = ContentsOf(custom);
  contents.definitions = LanedToc();
  const auto tasks = MakeRestorePlan(custom, {}, contents).tasks;
  ASSERT_GE(tasks.size(), 3u);
  EXPECT_EQ(tasks[0].arguments, (Arguments{"--exit-on-error", "--section=pre-data"}));
  EXPECT_TRUE(tasks[0].from_memory);
  EXPECT_EQ(tasks[1].arguments, (Arguments{"--exit-on-error", "--section=data"}));
  EXPECT_FALSE(tasks[1].from_memory);
  EXPECT_EQ(tasks[1].after, std::vector<size_t>{0});
  for (size_t i = 2; i < tasks.size(); ++i) {
    EXPECT_EQ(tasks[i].arguments[1], "--section=post-data");
    EXPECT_TRUE(tasks[i].from_memory);
    EXPECT_EQ(tasks[i].after[1], 1u);
  }
  RestoreOptions options;
  options.content = DumpContent::kSchema;
  for (const RestoreTask& task : MakeRestorePlan(custom, options, contents).tasks)
    EXPECT_TRUE(task.from_memory) << task.what;
}

TEST(RestorePlan, SingleTablesNeedTheirSchemas) {
  Manifest manifest = Parallel();
  manifest.selection.tables = {"app.t", "App.u", "\"X\".v"};
  EXPECT_EQ(PlanOf(manifest).schemas_to_create, (Arguments{"app", "X"}));
}

TEST(RestorePlan, MakesRoomForASelectedSchemaPublic) {
  Manifest manifest = Parallel();
  EXPECT_FALSE(PlanOf(manifest).drop_public_schema);
  manifest.selection.schemas = {"app", "public"};
  EXPECT_TRUE(PlanOf(manifest).drop_public_schema);
  manifest.selection.schemas = {"app"};
  EXPECT_FALSE(PlanOf(manifest).drop_public_schema);
}

TEST(RestorePlan, RefusesWhatWouldNotBeADatabase) {
  Manifest manifest = Parallel();
  EXPECT_NO_THROW(CheckRestorable(manifest, {}));
  manifest.content = DumpContent::kData;
  EXPECT_EQ(ErrorOf([&] { CheckRestorable(manifest, {}); }).kind(), ErrorKind::kInvalid);
  RestoreOptions data;
  data.content = DumpContent::kData;
  EXPECT_NO_THROW(CheckRestorable(Parallel(), data));
  manifest.content = DumpContent::kSchema;
  EXPECT_EQ(ErrorOf([&] { CheckRestorable(manifest, data); }).kind(), ErrorKind::kInvalid);
  Manifest empty;
  EXPECT_EQ(ErrorOf([&] { CheckRestorable(empty, {}); }).kind(), ErrorKind::kInvalid);
}

TEST(SideDatabaseName, FitsIntoANameWithoutCuttingACharacter) {
  EXPECT_EQ(SideDatabaseName("app", 7, "0123abcd"), "app__restore_7_0123abcd");
  EXPECT_EQ(SideDatabaseName(std::string(63, 'x'), 12345, "0123abcd"),
            std::string(39, 'x') + "__restore_12345_0123abcd");
  const std::string name =
      SideDatabaseName(std::string(38, 'x') + "\xC3\xA4" + "yyyyyyyyyyyyy", 12345, "0123abcd");
  EXPECT_EQ(name, std::string(38, 'x') + "__restore_12345_0123abcd");
}

}  // namespace
}  // namespace pgbackup
