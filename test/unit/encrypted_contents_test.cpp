#include "core/manifest/encrypted_contents.h"

#include <fcntl.h>
#include <unistd.h>

#include "age_test_support.h"
#include "core/dump/lane_output.h"
#include "core/manifest/manifest_store.h"
#include "core/manifest/stored_object.h"

namespace pgbackup {
namespace {

// An encrypted backup of one range of a table, in a storage in memory.
class EncryptedContents : public testing::Test {
 protected:
  EncryptedContents() {
    manifest_.id = 7;
    manifest_.file_name = "folder";
    manifest_.database = "shop";
    manifest_.backup_type = "manual";
    manifest_.created_by = "secret_role";
    manifest_.finished_at = "2026-01-02T03:04:05.000000Z";
    manifest_.selection.schemas = {"secret_schema"};
    manifest_.properties.name = "shop";
    manifest_.properties.owner = "secret_role";
    manifest_.properties.encoding = "UTF8";
    manifest_.properties.locale_provider = "libc";
    manifest_.properties.comment = "secret comment";
    manifest_.encryption = {"age-x25519", {keys_.made.recipient}};
    DumpObject range;
    range.name = "data-001.sql";
    range.kind = ObjectKind::kCopy;
    range.tables = {{"secret_schema", "secret_table"}};
    range.copy = CopyRange{{"secret_column"}, 0, std::nullopt};
    manifest_.objects.push_back(Store(range, "rows"));
    DumpObject contents;
    contents.name = "contents.json";
    contents.kind = ObjectKind::kContents;
    manifest_.objects.push_back(Store(contents, ContentsText(manifest_)));
    text_ = boost::json::serialize(ManifestForStorage(manifest_));
    identity_ = folder_.path() + "/key";
    const int file = open(identity_.c_str(), O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(write(file, keys_.made.file.data(), keys_.made.file.size()),
              static_cast<ssize_t>(keys_.made.file.size()));
    close(file);
  }

  ManifestObject Store(const DumpObject& object, const std::string& text) {
    LaneOutput output(
        object, {storage_, "folder", Compression(), progress_, *environment_, &keys_.encryption});
    output.sink().Write(AsBytes(text));
    return output.Finish();
  }

  const TestKeys keys_;
  const std::unique_ptr<Environment> environment_ = SystemEnvironment();
  TemporaryDirectory folder_;
  std::string identity_;
  MemoryStorage storage_;
  Progress progress_;
  Manifest manifest_;
  std::string text_;
};

TEST_F(EncryptedContents, AreNamedNowhereInTheManifest) {
  EXPECT_EQ(text_.find("secret"), std::string::npos) << text_;
  // In the catalog they are.
  EXPECT_NE(boost::json::serialize(ManifestForCatalog(manifest_)).find("secret_table"),
            std::string::npos);
  const Manifest read = ParseManifest(text_);
  EXPECT_TRUE(HasHiddenNames(read));
  EXPECT_EQ(read.encryption->recipients, std::vector<std::string>{keys_.made.recipient});
  EXPECT_EQ(read.objects.at(0).name, "data-001.sql.zst.age");
  EXPECT_EQ(read.objects.at(1).name, "contents.json.zst.age");
}

TEST_F(EncryptedContents, AreReadBack) {
  Manifest read = ParseManifest(text_);
  OpenEncryptedBackup(storage_, "folder", {"", identity_, ""}, progress_, &read);
  EXPECT_FALSE(HasHiddenNames(read));
  ASSERT_EQ(read.objects.size(), 1u);
  EXPECT_EQ(read.objects[0].tables.at(0).name, "secret_table");
  EXPECT_EQ(read.objects[0].copy->columns.at(0), "secret_column");
  EXPECT_EQ(read.properties.owner, "secret_role");
  EXPECT_EQ(read.finished_at, manifest_.finished_at);

  SinkLog log;
  const auto chain = ContentChain(std::make_unique<LoggingSink>(&log), read.objects[0], progress_);
  ReadStoredObject(storage_, "folder", read.objects[0], *chain);
  EXPECT_EQ(log.bytes, "rows");
}

TEST_F(EncryptedContents, NeedAKey) {
  Manifest read = ParseManifest(text_);
  EXPECT_NE(ErrorOf([&] { OpenEncryptedBackup(storage_, "folder", {}, progress_, &read); })
                .hint()
                .find("pgbackup.identity_file"),
            std::string::npos);
  SinkLog log;
  EXPECT_EQ(ErrorOf([&] {
              ContentChain(std::make_unique<LoggingSink>(&log), read.objects[0], progress_);
            }).kind(),
            ErrorKind::kInvalid);
}

TEST_F(EncryptedContents, AndObjectsAreHeldToTheirSize) {
  Manifest read = ParseManifest(text_);
  const Manifest as_it_is = read;
  const auto open = [&] {
    OpenEncryptedBackup(storage_, "folder", {"", identity_, ""}, progress_, &read);
  };
  read.objects[1].raw_size = 5;
  EXPECT_EQ(ErrorOf(open).detail(),
            "Its content is larger than the 5 bytes that the manifest records.");
  read = as_it_is;
  open();
  for (const uint64_t size : {3u, 5u}) {
    SinkLog log;
    read.objects[0].raw_size = size;
    const auto chain =
        ContentChain(std::make_unique<LoggingSink>(&log), read.objects[0], progress_);
    EXPECT_EQ(
        ErrorOf([&] { ReadStoredObject(storage_, "folder", read.objects[0], *chain); }).kind(),
        ErrorKind::kCorrupt);
    EXPECT_LE(log.bytes.size(), size);
    EXPECT_EQ(log.finished, 0);
  }
}

TEST_F(EncryptedContents, OfAnotherBackupAreRefused) {
  Manifest read = ParseManifest(text_);
  read.id = 8;
  EXPECT_EQ(ErrorOf([&] {
              OpenEncryptedBackup(storage_, "folder", {"", identity_, ""}, progress_, &read);
            }).kind(),
            ErrorKind::kCorrupt);
  read.id = 7;
  read.objects[0].segments[0].sha256 = "00";
  const Error error = ErrorOf([&] {
    OpenEncryptedBackup(storage_, "folder", {"", identity_, ""}, progress_, &read);
  });
  EXPECT_EQ(error.detail(), "It belongs to another backup.");
}

}  // namespace
}  // namespace pgbackup
