#include "core/restore/plan/tables_to_load.h"

#include "archive_test_support.h"
#include "core/fingerprint/large_object_fingerprint.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

const QualifiedName kSmallTable{"public", "small"}, kBigTable{"public", "gro\xc3\x9f"};

// Rows of small (7) and, in LATIN1, of big (8), then a large object.
std::string ArchiveOfTwoTables() {
  ArchiveHead head(14);
  head.Integer(3);
  head.Entry(6, "TABLE", "public", "small", {});
  head.Entry(7, "TABLE DATA", "public", "small", {}, "", 3);
  head.Entry(8, "TABLE DATA", "public", "gro\xdf", {}, "", 3);
  Archive archive;
  archive.bytes = head.bytes();
  archive.Table(7, {"1\n", "\\.\n\n\n"});
  archive.Table(8, {"1\n", "2\n", "\\.\n\n\n"});
  archive.LargeObject(9, {"abc"});
  return archive.bytes;
}

// What has been current, in this order, and what passed.
struct WatchedTables {
  std::vector<std::vector<QualifiedName>> current;
  SinkLog passed;
};

WatchedTables Watch(const std::string& bytes, const std::optional<std::string>& list,
                    TableProgress* tables) {
  WatchedTables watched;
  const ArchiveNames names{{{"public", "gro\xdf"}, kBigTable}, {kSmallTable, kSmallTable}};
  TableWatch watch(std::make_unique<LoggingSink>(&watched.passed), list, names, *tables);
  for (const char& byte : bytes) {
    watch.Write(std::as_bytes(std::span(&byte, 1)));
    const std::vector<QualifiedName> current = tables->Now()->current;
    if (watched.current.empty() || watched.current.back() != current)
      watched.current.push_back(current);
  }
  watch.Finish();
  return watched;
}

ManifestObject RangeToLoad(const QualifiedName& table) {
  ManifestObject object;
  object.kind = ObjectKind::kCopy;
  object.tables = {table};
  return object;
}

TEST(TablesToLoad, AreThoseWithFingerprintsOrThePartOfThem) {
  const QualifiedName huge{"public", "huge"};
  Manifest manifest;
  manifest.fingerprints = {
      {kSmallTable, {}}, {kBigTable, {}}, {huge, {}}, {LargeObjectsName(), {}}};
  manifest.objects = {ManifestObject(), RangeToLoad(huge), RangeToLoad(huge)};
  const ArchiveNames names{{{"public", "gro\xdf"}, kBigTable},
                           {kSmallTable, kSmallTable},
                           {huge, huge},
                           {LargeObjectsName(), LargeObjectsName()}};
  TableProgress all, part, schema, script;
  PlanTablesToLoad(manifest, DumpContent::kAll, nullptr, names, &all);
  EXPECT_EQ(all.Now()->total, 3u);
  all.End(huge);
  EXPECT_EQ(all.Now()->done, 0u) << "it has another range";
  all.End(huge);
  EXPECT_EQ(all.Now()->done, 1u);

  ArchiveSelection selection;
  selection.relations = {{"public", "gro\xdf"}, {"public", "a_sequence"}};
  PlanTablesToLoad(manifest, DumpContent::kAll, &selection, names, &part);
  EXPECT_EQ(part.Now()->total, 1u);
  part.Begin(kBigTable);
  EXPECT_EQ(part.Now()->current, std::vector<QualifiedName>{kBigTable});

  PlanTablesToLoad(manifest, DumpContent::kSchema, nullptr, names, &schema);
  EXPECT_EQ(schema.Now()->total, 0u);

  manifest.objects[0].kind = ObjectKind::kSql;
  PlanTablesToLoad(manifest, DumpContent::kAll, nullptr, names, &script);
  EXPECT_FALSE(script.Now());
}

TEST(TableWatch, TellsWhichTablesPassAndChangesNothing) {
  TableProgress tables;
  tables.Plan({kSmallTable, kBigTable});
  const WatchedTables watched = Watch(ArchiveOfTwoTables(), std::nullopt, &tables);
  EXPECT_EQ(watched.passed.bytes, ArchiveOfTwoTables());
  EXPECT_EQ(watched.passed.finished, 1);
  EXPECT_EQ(watched.current,
            (std::vector<std::vector<QualifiedName>>{{}, {kSmallTable}, {kBigTable}, {}}))
      << "none while large objects pass";
  EXPECT_EQ(tables.Now()->done, 2u);
}

TEST(TableWatch, SeesOnlyWhatIsTaken) {
  TableProgress tables;
  tables.Plan({kBigTable});
  const WatchedTables watched = Watch(ArchiveOfTwoTables(), "8;\n", &tables);
  EXPECT_EQ(watched.current, (std::vector<std::vector<QualifiedName>>{{}, {kBigTable}, {}}));
  EXPECT_EQ(tables.Now()->done, 1u);
}

TEST(TableWatch, LetsPassWhatItDoesNotKnow) {
  TableProgress tables;
  tables.Plan({kSmallTable});
  const WatchedTables watched = Watch("no archive at all", std::nullopt, &tables);
  EXPECT_EQ(watched.passed.bytes, "no archive at all");
  EXPECT_EQ(watched.passed.finished, 1);
  EXPECT_EQ(tables.Now()->done, 0u);
}

}  // namespace
}  // namespace pgbackup
