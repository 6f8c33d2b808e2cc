#include "core/verify/verify_run.h"

#include "archive_test_support.h"
#include "core/integrity/archive_contents.h"
#include "core/integrity/content_check.h"
#include "core/pipeline/null_sink.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

constexpr const char* kWholeScript =
    "CREATE TABLE t ();\n--\n-- PostgreSQL database dump complete\n--\n\n";
constexpr const char* kGlobalsScript =
    "CREATE ROLE r;\n--\n-- PostgreSQL database cluster dump complete\n--\n";

class VerifyRunTest : public ::testing::Test {
 protected:
  VerifyRunTest() {
    AddObject(run_.storage, manifest_, "database.sql", kWholeScript);
    AddObject(run_.storage, manifest_, "globals.sql", kGlobalsScript, ObjectKind::kGlobals);
    StoreManifestText(run_.storage, manifest_);
    job_.file_name = manifest_.file_name;
  }
  RunOutcome Run(VerifyLevel level = VerifyLevel::kChecksum) {
    job_.level = level;
    return RunVerify(job_, run_.harness.context);
  }
  Error Failure(VerifyLevel level = VerifyLevel::kChecksum) {
    const RunOutcome outcome = Run(level);
    EXPECT_EQ(outcome.state, RunState::kFailed);
    return outcome.error.value_or(Error(ErrorKind::kInternal, "none"));
  }

  MemoryHarness run_;
  Manifest manifest_ = ManifestOf("main/db/b1", 1, "db");
  VerifyJob job_;
};

TEST_F(VerifyRunTest, AGoodBackupIsProved) {
  const RunOutcome outcome = Run();
  EXPECT_EQ(outcome.state, RunState::kCompleted);
  EXPECT_EQ(outcome.fields.at("objects").to_number<int>(), 2);
  EXPECT_EQ(run_.harness.progress.raw_bytes, manifest_.RawSize());
}

TEST_F(VerifyRunTest, TheDamagedObjectIsNamed) {
  run_.storage.objects["main/db/b1/globals.sql"][3] ^= 1;
  Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_NE(error.message().find("globals.sql"), std::string::npos) << error.message();
}

TEST_F(VerifyRunTest, AByteTooFewIsNamed) {
  run_.storage.objects["main/db/b1/database.sql"].pop_back();
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_NE(error.message().find("database.sql"), std::string::npos) << error.message();
}

TEST_F(VerifyRunTest, AMissingObjectIsNamed) {
  run_.storage.objects.erase("main/db/b1/database.sql");
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(), "object \"main/db/b1/database.sql\" of the backup is missing");
}

TEST_F(VerifyRunTest, AnotherManifestThanTheCatalogsIsRefused) {
  job_.checksum = std::string(64, '0');
  EXPECT_EQ(Failure().kind(), ErrorKind::kCorrupt);
}

TEST_F(VerifyRunTest, ContentOfAnotherSizeThanTheManifestSaysIsRefused) {
  manifest_.objects[0].raw_size += 1;
  StoreManifestText(run_.storage, manifest_);
  EXPECT_NE(Failure().detail().find("bytes, the manifest records"), std::string::npos);
}

Error ContentFailure(const Manifest& manifest, const ManifestObject& object,
                     const std::string& content) {
  const std::unique_ptr<Sink> check =
      ContentCheck(std::make_unique<NullSink>(), manifest, object, VerifyLevel::kArchive);
  return ErrorOf([&] {
    for (const char c : content) check->Write(AsBytes({&c, 1}));
    check->Finish();
  });
}

void CheckIsGood(const Manifest& manifest, const ManifestObject& object,
                 const std::string& content) {
  const std::unique_ptr<Sink> check =
      ContentCheck(std::make_unique<NullSink>(), manifest, object, VerifyLevel::kArchive);
  check->Write(AsBytes(content));
  check->Finish();
}

TEST(ContentCheck, AScriptHasToEndAsPgDumpEndsIt) {
  const Manifest manifest = ManifestOf("f", 1, "db");
  ManifestObject object;
  object.name = "database.sql";
  object.kind = ObjectKind::kSql;
  object.raw_size = std::string(kWholeScript).size();
  CheckIsGood(manifest, object, kWholeScript);
  EXPECT_EQ(ContentFailure(manifest, object, std::string(object.raw_size, 'x')).kind(),
            ErrorKind::kCorrupt);
  object.kind = ObjectKind::kGlobals;
  EXPECT_EQ(ContentFailure(manifest, object, kWholeScript).kind(), ErrorKind::kCorrupt);
  object.raw_size = std::string(kGlobalsScript).size();
  CheckIsGood(manifest, object, kGlobalsScript);
}

TEST(ContentCheck, ARangeHasToHoldTheRowsItsManifestSays) {
  const Manifest manifest = ManifestOf("f", 1, "db");
  ManifestObject object;
  object.name = "data-001.sql";
  object.kind = ObjectKind::kCopy;
  object.tables = {{"s", "t"}};
  object.copy = CopyRange{{"a"}, 0, std::nullopt};
  const std::string content = CopyBegin({"s", "t"}, {"a"}, "UTF8") + "1\n" + kCopyEnd;
  object.raw_size = content.size();
  CheckIsGood(manifest, object, content);
  object.tables = {{"s", "u"}};
  EXPECT_EQ(ContentFailure(manifest, object, content).kind(), ErrorKind::kCorrupt);
}

TEST(ContentCheck, AnArchiveHasToHoldTheTablesItsManifestSays) {
  Manifest manifest = ManifestOf("f", 1, "db");
  ArchiveHead head(14);
  head.Integer(2);
  head.Entry(1, "TABLE DATA", "s", "t", {}, "", 3);
  head.Entry(2, "TABLE DATA", "s", "u", {}, "", 3);
  ManifestObject object;
  object.name = "data-001.dump";
  object.sections = {"data"};
  object.tables = {{"s", "t"}, {"s", "u"}};
  object.raw_size = head.bytes().size();
  CheckIsGood(manifest, object, head.bytes());
  object.tables.pop_back();
  EXPECT_EQ(ContentFailure(manifest, object, head.bytes()).detail(),
            "It holds rows of table \"s\".\"u\", which it should not.");
  object.tables = {{"s", "t"}, {"s", "u"}, {"s", "v"}};
  EXPECT_EQ(ContentFailure(manifest, object, head.bytes()).detail(),
            "It lacks the rows of table \"s\".\"v\".");
  object.tables.clear();
  CheckIsGood(manifest, object, head.bytes());
  ManifestObject other;
  other.name = "data-002.dump";
  other.tables = {{"s", "u"}};
  manifest.objects = {object, other};
  EXPECT_EQ(ContentFailure(manifest, object, head.bytes()).detail(),
            "It holds rows of table \"s\".\"u\", which are in data-002.dump.");
  object.sections = {"pre-data", "post-data"};
  EXPECT_EQ(ContentFailure(manifest, object, head.bytes()).kind(), ErrorKind::kCorrupt);
  object.raw_size -= 20;
  object.sections = {"data"};
  manifest.objects.clear();
  EXPECT_EQ(ContentFailure(manifest, object, head.bytes().substr(0, object.raw_size)).detail(),
            "It ends within its table of contents.");
}

TEST(ArchiveContents, NamesInAnotherEncodingAreCounted) {
  Manifest manifest = ManifestOf("f", 1, "db");
  manifest.properties.encoding = "LATIN1";
  ManifestObject object;
  object.name = "data-001.dump";
  object.sections = {"data"};
  object.tables = {{"s", "\xc3\xa4"}, {"s", "t"}};
  ArchiveTables found;
  found.rows = {{"s", "\xe4"}, {"s", "t"}};
  CheckContents(found, manifest, object);
  found.rows = {{"s", "t"}};
  EXPECT_THROW(CheckContents(found, manifest, object), Error);
  found.rows = {{"s", "\xe4"}, {"s", "x"}};
  EXPECT_THROW(CheckContents(found, manifest, object), Error);
}

}  // namespace
}  // namespace pgbackup
