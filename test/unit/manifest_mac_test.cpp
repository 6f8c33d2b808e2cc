#include "core/manifest/manifest_mac.h"

#include <fcntl.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "core/base/sha256.h"
#include "core/manifest/backup_inventory.h"
#include "core/manifest/manifest_store.h"
#include "storage_test_support.h"
#include "stored_backups_test_support.h"
#include "text_test_support.h"

namespace pgbackup {
namespace {

const std::string kOne(64, '1'), kTwo(64, '2');

class ManifestMac : public testing::Test {
 protected:
  std::string File(const std::string& text, mode_t mode = 0600) {
    std::string path = folder_.path() + "/key" + std::to_string(files_++);
    const int file = open(path.c_str(), O_WRONLY | O_CREAT, mode);
    EXPECT_EQ(write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(file);
    return path;
  }
  ManifestKeys Keys(const std::string& text) { return ManifestKeys(File(text)); }

  TemporaryDirectory folder_;
  int files_ = 0;
};

TEST_F(ManifestMac, StandsAtTheEndAndCoversAllBeforeIt) {
  const std::string signed_text = Keys(kOne).Signed("{\"version\":1}\n");
  const std::string covered = "{\"version\":1";
  ASSERT_EQ(signed_text.size(), covered.size() + 75);
  EXPECT_TRUE(signed_text.starts_with(covered + ",\"mac\":\""));
  // As another program would compute it.
  const std::string key(32, '\x11');
  unsigned char mac[32];
  HMAC(EVP_sha256(), key.data(), 32, reinterpret_cast<const unsigned char*>(covered.data()),
       covered.size(), mac, nullptr);
  EXPECT_EQ(signed_text.substr(covered.size() + 8, 64), ToHex(std::as_bytes(std::span(mac))));
  EXPECT_TRUE(boost::json::parse(signed_text).is_object());
}

TEST_F(ManifestMac, AnyKeyOfTheFileMadeItAndTheFirstOneSigns) {
  const std::string text = "{\"a\":[1]}\n";
  const std::string old = Keys(kOne).Signed(text);
  const ManifestKeys rotated = Keys("# new\n" + kTwo + "\n" + kOne + "\r\n");
  EXPECT_EQ(rotated.size(), 2u);
  EXPECT_EQ(rotated.Check(old), ManifestKeys::Finding::kOurs);
  EXPECT_EQ(rotated.Signed(text), Keys(kTwo).Signed(text));
  EXPECT_EQ(Keys(kTwo).Check(old), ManifestKeys::Finding::kWrong);
  EXPECT_EQ(Keys(kTwo).Check(text), ManifestKeys::Finding::kUnsigned);
  EXPECT_EQ(Keys(ToBase64(AsBytes(std::string(32, '\x22')))).Signed(text), rotated.Signed(text));
}

TEST_F(ManifestMac, NoChangedByteAndNoCutPasses) {
  const ManifestKeys keys = Keys(kOne);
  const std::string text = keys.Signed("{\"a\":{\"b\":\"c\"}}\n");
  for (size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_NE(keys.Check(other), ManifestKeys::Finding::kOurs) << at;
    EXPECT_NE(keys.Check(text.substr(0, at)), ManifestKeys::Finding::kOurs) << at;
    EXPECT_NE(keys.Check(text.substr(at + 1)), ManifestKeys::Finding::kOurs) << at;
  }
  EXPECT_NE(keys.Check(text + "\n"), ManifestKeys::Finding::kOurs);
  EXPECT_NE(keys.Check(" " + text), ManifestKeys::Finding::kOurs);
  EXPECT_EQ(keys.Check(text), ManifestKeys::Finding::kOurs);
}

TEST_F(ManifestMac, AKeyFileHoldsKeysAndNobodyElseReadsIt) {
  const auto failure = [&](const std::string& text, mode_t mode = 0600) {
    return ErrorOf([&] { ManifestKeys keys(File(text, mode)); });
  };
  for (const std::string& bad :
       {std::string(), std::string("# only a comment\n"), kOne.substr(1), kOne + "1",
        std::string(64, 'g'), ToBase64(AsBytes(std::string(31, 'x'))),
        kOne + "\nsomething else\n"}) {
    EXPECT_EQ(failure(bad).kind(), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(failure(bad).message().find("111"), std::string::npos) << "no key in a message";
  }
  EXPECT_EQ(failure(kOne, 0644).kind(), ErrorKind::kDenied);
  EXPECT_EQ(ErrorOf([&] { ManifestKeys keys(folder_.path() + "/none"); }).kind(),
            ErrorKind::kNotFound);
  const std::string made = MakeManifestKey(*SystemEnvironment());
  EXPECT_EQ(Keys(made).size(), 1u);
  EXPECT_NE(made, MakeManifestKey(*SystemEnvironment()));
}

TEST_F(ManifestMac, IsCheckedWhereNoCatalogVouchesForTheManifest) {
  MemoryStorage storage;
  const std::string text =
      boost::json::serialize(ManifestToJson(ManifestOf("a/b1", 1, "db"))) + "\n";
  const ManifestKeySettings one{File(kOne), false}, two{File(kTwo), false};
  const std::string key_is_gone = folder_.path() + "/gone";
  const auto read = [&](const std::string& manifest, const ManifestKeySettings& keys,
                        const std::optional<std::string>& checksum = {}) {
    storage.objects["a/b1/manifest.json"] = manifest;
    return ReadManifest(storage, "a/b1", checksum, keys).id;
  };
  const std::string good = ManifestKeys(one.file).Signed(text);
  EXPECT_EQ(read(good, one), 1);
  EXPECT_EQ(read(text, {}), 1);
  EXPECT_EQ(read(good, {}), 1) << "without a key, nothing changes";
  EXPECT_EQ(ErrorOf([&] { read(text, one); }).kind(), ErrorKind::kDenied);
  EXPECT_EQ(read(text, {one.file, true}), 1);
  EXPECT_EQ(ErrorOf([&] { read(good, two); }).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(ErrorOf([&] {
              read(good, {two.file, true});
            }).kind(),
            ErrorKind::kCorrupt)
      << "a wrong MAC is no missing one";
  const std::string changed = Replaced(good, "\"id\":1", "\"id\":2");
  EXPECT_EQ(ErrorOf([&] { read(changed, one); }).kind(), ErrorKind::kCorrupt);
  // The catalog knows every byte.
  EXPECT_EQ(read(text, {key_is_gone, false}, ToHex(Sha256::Of(text))), 1);
  // In another folder it is that of another backup.
  storage.objects["a/b2/manifest.json"] = good;
  EXPECT_EQ(ErrorOf([&] { ReadManifest(storage, "a/b2", std::nullopt, one); }).kind(),
            ErrorKind::kCorrupt);
}

TEST_F(ManifestMac, WhatIsNotSignedIsPassedOverInAStorage) {
  MemoryStorage storage;
  const ManifestKeySettings keys{File(kOne), false};
  const std::string good =
      boost::json::serialize(ManifestToJson(ManifestOf("a/good", 1, "db"))) + "\n";
  storage.objects["a/good/manifest.json"] = ManifestKeys(keys.file).Signed(good);
  StoreManifestText(storage, ManifestOf("a/unsigned", 2, "db"));
  storage.objects["a/moved/manifest.json"] = storage.objects["a/good/manifest.json"];
  Cancellation cancellation;
  const std::vector<std::string> folders = ListBackupFolders(storage).names;
  const BackupInventory inventory = ReadBackups(storage, folders, {keys, {}}, cancellation);
  ASSERT_EQ(inventory.backups.size(), 1u);
  EXPECT_EQ(inventory.backups[0].folder, "a/good");
  ASSERT_EQ(inventory.unreadable.size(), 2u);
  EXPECT_EQ(inventory.unreadable[0].folder, "a/moved");
  EXPECT_EQ(inventory.unreadable[1].error.message(),
            "the manifest in \"memory://test/a/unsigned\" has no MAC");
  EXPECT_EQ(ReadBackups(storage, folders, {{keys.file, true}, {}}, cancellation).backups.size(),
            2u);
}

}  // namespace
}  // namespace pgbackup
