#include "core/restore/contents_run.h"

#include "archive_test_support.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

// A backup of s.t, which is in an archive and a range, and of s.u.
class ContentsRun : public testing::Test {
 protected:
  ContentsRun() {
    ArchiveHead schema(14);
    schema.Integer(3);
    schema.Entry(1, "ENCODING", "", "ENCODING", {});
    schema.Entry(2, "SCHEMA", "", "s", {});
    schema.Entry(3, "TABLE", "s", "t", {});
    AddObject(run_.storage, manifest_, "schema.dump", schema.bytes(), ObjectKind::kArchive)
        .sections = {"pre-data", "post-data"};
    ArchiveHead rows(14);
    rows.Integer(1);
    rows.Entry(9, "TABLE DATA", "s", "t", {});
    AddRows("data-001.dump", "t", rows.bytes() + "rows", ObjectKind::kArchive);
    AddRows("data-002.sql", "t", "COPY …", ObjectKind::kCopy);
    AddRows("data-003.sql", "u", "COPY …", ObjectKind::kCopy);
    AddObject(run_.storage, manifest_, "globals.sql", "CREATE ROLE …", ObjectKind::kGlobals);
    manifest_.fingerprints[{"s", "t"}].rows = 12;
    StoreManifestText(run_.storage, manifest_);
  }

  void AddRows(const char* name, const char* table, const std::string& text, ObjectKind kind) {
    ManifestObject& object = AddObject(run_.storage, manifest_, name, text, kind);
    object.sections = {"data"};
    object.tables = {{"s", table}};
    if (kind == ObjectKind::kCopy) object.copy = CopyRange{{"i"}, 0, std::nullopt};
  }

  RunOutcome Run() {
    ContentsJob job;
    job.file_name = manifest_.file_name;
    return RunContents(job, run_.harness.context);
  }

  MemoryHarness run_;
  Manifest manifest_ = ManifestOf("f", 7, "shop");
};

TEST_F(ContentsRun, AreTheEntriesOfAllArchivesAndTheRanges) {
  std::string lines;
  for (const boost::json::value& entry : FieldOf(Run(), "entries")) {
    const boost::json::object& fields = entry.as_object();
    for (const char* key : {"object", "dump_id", "kind", "schema", "name", "owner", "row_count"}) {
      const boost::json::value* value = fields.if_contains(key);
      lines += (value == nullptr ? "-" : boost::json::serialize(*value)) + " ";
    }
    lines += '\n';
  }
  EXPECT_EQ(lines, R"("schema.dump" 2 "SCHEMA" null "s" "owner" - )"
                   "\n"
                   R"("schema.dump" 3 "TABLE" "s" "t" "owner" - )"
                   "\n"
                   R"("data-001.dump" 9 "TABLE DATA" "s" "t" "owner" 12 )"
                   "\n"
                   R"("data-002.sql" - "TABLE DATA" "s" "t" - null )"
                   "\n"
                   R"("data-003.sql" - "TABLE DATA" "s" "u" - null )"
                   "\n");
}

TEST_F(ContentsRun, HaveSizesWhereAnObjectIsForOneTable) {
  const boost::json::array entries = FieldOf(Run(), "entries");
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[1].as_object().if_contains("raw_size"), nullptr);
  EXPECT_EQ(entries[2].at("raw_size").to_number<uint64_t>(), manifest_.objects[1].raw_size);
  EXPECT_EQ(entries[3].at("raw_size").to_number<uint64_t>(), manifest_.objects[2].raw_size);
}

TEST_F(ContentsRun, AnArchiveThatIsCutOffIsDamaged) {
  run_.storage.objects["f/schema.dump"].resize(100);
  const RunOutcome outcome = Run();
  ASSERT_EQ(outcome.state, RunState::kFailed);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kCorrupt);
}

TEST_F(ContentsRun, PlainHasNone) {
  manifest_.format = DumpFormat::kPlain;
  StoreManifestText(run_.storage, manifest_);
  const RunOutcome outcome = Run();
  ASSERT_EQ(outcome.state, RunState::kFailed);
  EXPECT_EQ(outcome.error->message(), "backup 7 has no table of contents");
}

}  // namespace
}  // namespace pgbackup
