#include "core/dump/dump_plan.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

DumpPlanInput Input(DumpFormat format, DumpContent content = DumpContent::kAll) {
  DumpPlanInput input;
  input.format = format;
  input.content = content;
  input.encoding = "LATIN1";
  input.snapshot = "00000003-00000004-1";
  input.lock_wait_timeout_ms = 1500;
  input.pg_dump_major = 15;
  input.include_globals = false;
  return input;
}

bool Has(const DumpObject& object, const std::string& argument) {
  return std::find(object.arguments.begin(), object.arguments.end(), argument) !=
         object.arguments.end();
}

TEST(DumpPlan, EveryFormatAndContentMakesItsObjectsWithTheirSections) {
  using Sections = std::vector<std::string>;
  struct Row {
    DumpFormat format;
    DumpContent content;
    std::vector<std::pair<std::string, Sections>> objects;
  };
  const Sections everything = {"pre-data", "data", "post-data"}, schema = {"pre-data", "post-data"},
                 data = {"data"};
  const Row rows[] = {
      {DumpFormat::kCustom, DumpContent::kAll, {{"database.dump", everything}}},
      {DumpFormat::kCustom, DumpContent::kSchema, {{"database.dump", schema}}},
      {DumpFormat::kCustom, DumpContent::kData, {{"database.dump", data}}},
      {DumpFormat::kPlain, DumpContent::kAll, {{"database.sql", everything}}},
      {DumpFormat::kParallel,
       DumpContent::kAll,
       {{"schema.dump", schema}, {"data-000.dump", data}}},
      {DumpFormat::kParallel, DumpContent::kSchema, {{"schema.dump", schema}}},
      {DumpFormat::kParallel, DumpContent::kData, {{"data-000.dump", data}}},
  };
  for (const Row& row : rows) {
    const std::vector<DumpObject> plan = MakeDumpPlan(Input(row.format, row.content));
    ASSERT_EQ(plan.size(), row.objects.size());
    for (size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(plan[i].name, row.objects[i].first);
      EXPECT_EQ(plan[i].sections, row.objects[i].second) << plan[i].name;
      EXPECT_EQ(plan[i].program, "pg_dump");
    }
  }
}

TEST(DumpPlan, EveryLaneReadsTheSameSnapshotInTheServersEncodingUncompressed) {
  for (const DumpFormat format : {DumpFormat::kCustom, DumpFormat::kPlain, DumpFormat::kParallel})
    for (const DumpObject& object : MakeDumpPlan(Input(format))) {
      EXPECT_TRUE(Has(object, "--snapshot=00000003-00000004-1"));
      EXPECT_TRUE(Has(object, "--encoding=LATIN1"));
      EXPECT_TRUE(Has(object, "--compress=0"));
      EXPECT_TRUE(Has(object, "--lock-wait-timeout=1500"));
      EXPECT_EQ(Has(object, "--format=plain"), format == DumpFormat::kPlain);
      EXPECT_FALSE(Has(object, "--strict-names"));
    }
}

TEST(DumpPlan, TheTwoHalvesOfAParallelDumpAreSections) {
  const std::vector<DumpObject> plan = MakeDumpPlan(Input(DumpFormat::kParallel));
  EXPECT_TRUE(Has(plan[0], "--section=pre-data"));
  EXPECT_TRUE(Has(plan[0], "--section=post-data"));
  EXPECT_FALSE(Has(plan[0], "--section=data"));
  EXPECT_TRUE(Has(plan[1], "--section=data"));
}

TEST(DumpPlan, ContentAloneUsesTheSwitchThatKeepsLargeObjectsWhole) {
  EXPECT_TRUE(
      Has(MakeDumpPlan(Input(DumpFormat::kParallel, DumpContent::kData))[0], "--data-only"));
  EXPECT_TRUE(
      Has(MakeDumpPlan(Input(DumpFormat::kCustom, DumpContent::kSchema))[0], "--schema-only"));
}

TEST(DumpPlan, NamesBecomePatternsThatMatchThemselvesOnly) {
  DumpPlanInput input = Input(DumpFormat::kParallel);
  input.selection.schemas = {"My \"S*\""};
  input.selection.exclude_tables = {{"a.b", "-t"}};
  input.selection.exclude_table_data = {{"s", "t?"}};
  for (const DumpObject& object : MakeDumpPlan(input)) {
    EXPECT_TRUE(Has(object, "--schema=\"My \"\"S*\"\"\""));
    EXPECT_TRUE(Has(object, "--exclude-table=\"a.b\".\"-t\""));
    EXPECT_TRUE(Has(object, "--exclude-table-data=\"s\".\"t?\""));
    EXPECT_TRUE(Has(object, "--strict-names"));
  }
  input = Input(DumpFormat::kCustom);
  input.selection.tables = {{"s", "t"}};
  EXPECT_TRUE(Has(MakeDumpPlan(input)[0], "--table=\"s\".\"t\""));
  EXPECT_TRUE(Has(MakeDumpPlan(input)[0], "--strict-names"));
}

DumpTable Table(const QualifiedName& name, uint64_t bytes) {
  DumpTable table;
  table.oid = "16384";
  table.name = table.dump_name = name;
  table.bytes = bytes;
  table.pages = bytes / 8192;
  table.can_split = true;
  return table;
}

const DumpObject& Named(const std::vector<DumpObject>& plan, std::string_view name) {
  const auto found = std::find_if(plan.begin(), plan.end(),
                                  [&](const DumpObject& object) { return object.name == name; });
  if (found == plan.end()) throw std::out_of_range(std::string(name));
  return *found;
}

TEST(DumpPlan, ABigTableLeavesTheRestForAnObjectOfItsOwn) {
  DumpPlanInput input = Input(DumpFormat::kParallel);
  input.tables = {Table({"s", "small"}, 8192), Table({"s", "b\xfcg"}, 1 << 30)};
  input.tables[1].name.name = "b\u00fcg";
  input.selection.schemas = {"s"};
  input.selection.exclude_table_data = {{"s", "log"}};
  const std::vector<DumpObject> plan = MakeDumpPlan(input);
  const DumpObject& rest = Named(plan, "data-000.dump");
  EXPECT_TRUE(Has(rest, "--exclude-table-data=\"s\".\"b\xfcg\""));
  EXPECT_TRUE(Has(rest, "--exclude-table-data=\"s\".\"log\""));
  EXPECT_TRUE(Has(rest, "--schema=\"s\""));
  EXPECT_TRUE(rest.tables.empty());
  EXPECT_EQ(rest.expected.rows, (std::set<QualifiedName>{{"s", "small"}}));
  EXPECT_EQ(rest.expected.no_rows, (std::set<QualifiedName>{{"s", "b\xfcg"}}));
  const DumpObject& own = Named(plan, "data-001.dump");
  EXPECT_TRUE(Has(own, "--table=\"s\".\"b\xfcg\""));
  EXPECT_TRUE(Has(own, "--section=data"));
  EXPECT_TRUE(Has(own, "--strict-names"));
  EXPECT_FALSE(Has(own, "--schema=\"s\""));
  EXPECT_EQ(own.tables, (std::vector<QualifiedName>{{"s", "b\u00fcg"}}));
  EXPECT_EQ(own.expected.rows, (std::set<QualifiedName>{{"s", "b\xfcg"}}));
  EXPECT_TRUE(own.expected.only_these_rows);
  EXPECT_EQ(Named(plan, "schema.dump").expected.tables.size(), 2u);
  EXPECT_EQ(plan[0].name, "schema.dump");
  EXPECT_EQ(plan[1].name, "data-001.dump");
}

TEST(DumpPlan, AHugeTableIsCopiedInRanges) {
  DumpPlanInput input = Input(DumpFormat::kParallel);
  input.tables = {Table({"s", "huge"}, 1 << 30)};
  input.split_bytes = 600 << 20;
  input.columns_of = [](const DumpTable& table) {
    return std::vector<std::string>{"a of " + table.name.name};
  };
  const std::vector<DumpObject> plan = MakeDumpPlan(input);
  EXPECT_TRUE(Has(Named(plan, "data-000.dump"), "--exclude-table-data=\"s\".\"huge\""));
  const DumpObject& first = Named(plan, "data-001.sql");
  EXPECT_EQ(first.kind, ObjectKind::kCopy);
  EXPECT_EQ(first.copy, (CopyRange{{"a of huge"}, 0, 65536}));
  EXPECT_EQ(Named(plan, "data-002.sql").copy, (CopyRange{{"a of huge"}, 65536, std::nullopt}));
  EXPECT_EQ(Named(plan, "data-002.sql").tables, (std::vector<QualifiedName>{{"s", "huge"}}));
  EXPECT_EQ(Named(plan, "data-002.sql").sections, std::vector<std::string>{"data"});
}

TEST(DumpPlan, RowsThatFindTheirPartitionAnewStayWithTheRest) {
  DumpPlanInput input = Input(DumpFormat::kParallel);
  input.tables = {Table({"s", "by enum"}, 1 << 30), Table({"s", "b\xff"}, 1 << 30)};
  input.tables[0].is_loaded_by_root = true;
  input.split_bytes = 1 << 20;
  const std::vector<DumpObject> plan = MakeDumpPlan(input);
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[1].expected.rows.size(), 2u);
}

TEST(DumpPlan, AnExtensionsTablesAreNobodysAndSoAreRowsLeftOut) {
  DumpPlanInput input = Input(DumpFormat::kParallel);
  input.tables = {Table({"s", "member"}, 1 << 30), Table({"s", "log"}, 1 << 30),
                  Table({"s", "parent"}, 0)};
  input.tables[0].is_extension_member = true;
  input.tables[2].is_partitioned = true;
  input.selection.exclude_table_data = {{"s", "log"}};
  const std::vector<DumpObject> plan = MakeDumpPlan(input);
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_TRUE(plan[1].expected.rows.empty());
  EXPECT_EQ(plan[0].expected.tables, (std::set<QualifiedName>{{"s", "log"}, {"s", "parent"}}));
  input.format = DumpFormat::kCustom;
  EXPECT_EQ(MakeDumpPlan(input)[0].expected.tables.size(), 2u);
}

TEST(DumpPlan, StatisticsAreAskedForWhereTheyAreNotTheDefault) {
  DumpPlanInput input = Input(DumpFormat::kCustom);
  EXPECT_FALSE(Has(MakeDumpPlan(input)[0], "--statistics"));
  input.pg_dump_major = 18;
  EXPECT_TRUE(Has(MakeDumpPlan(input)[0], "--statistics"));
}

TEST(DumpPlan, GlobalsCarryNoPasswords) {
  DumpPlanInput input = Input(DumpFormat::kCustom);
  input.include_globals = true;
  const std::vector<DumpObject> plan = MakeDumpPlan(input);
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[1].name, "globals.sql");
  EXPECT_EQ(plan[1].program, "pg_dumpall");
  EXPECT_EQ(plan[1].kind, ObjectKind::kGlobals);
  EXPECT_TRUE(Has(plan[1], "--no-role-passwords"));
}

TEST(DumpFormat, AutoIsOneArchiveBelowTheThreshold) {
  EXPECT_EQ(ChooseFormat(DumpFormat::kAuto, 99, 1, 100), DumpFormat::kCustom);
  EXPECT_EQ(ChooseFormat(DumpFormat::kAuto, 100, 1, 100), DumpFormat::kParallel);
  EXPECT_EQ(ChooseFormat(DumpFormat::kPlain, 100, 1, 100), DumpFormat::kPlain);
  // Many small tables.
  EXPECT_EQ(ChooseFormat(DumpFormat::kAuto, 850 << 20, 10000, 100), DumpFormat::kCustom);
  EXPECT_EQ(ChooseFormat(DumpFormat::kAuto, 2600ull << 20, 10000, 100), DumpFormat::kParallel);
  EXPECT_EQ(ChooseFormat(DumpFormat::kAuto, 850 << 20, 1000, 100), DumpFormat::kParallel);
  EXPECT_EQ(ChooseFormat(DumpFormat::kParallel, 850 << 20, 10000, 100), DumpFormat::kParallel);
}

TEST(DumpFormat, NamesSurviveARoundTripAndOthersAreRefused) {
  for (const char* name : {"auto", "custom", "parallel", "plain"})
    EXPECT_STREQ(DumpFormatName(ParseDumpFormat(name)), name);
  for (const char* name : {"all", "schema", "data"})
    EXPECT_STREQ(DumpContentName(ParseDumpContent(name)), name);
  EXPECT_EQ(ErrorOf([] { ParseDumpFormat("tar"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([] { ParseDumpContent(""); }).kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace pgbackup
