#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "age_test_support.h"
#include "shared/ascii.h"
#include "shared/recipient_list.h"

namespace pgbackup {
namespace {

// The pair of the specification's own example key.
constexpr const char* kIdentity =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
constexpr const char* kRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

TEST(AgeKeys, AreReadAndWritten) {
  const SymmetricKey identity = IdentityOf(kIdentity);
  EXPECT_EQ(identity.data()[0], std::byte{0x42});
  EXPECT_EQ(
      KeyToBech32(std::span<const std::byte, 32>(identity.data(), 32), kIdentityPrefix).view(),
      kIdentity);
  EXPECT_EQ(KeyToBech32(X25519Public(identity), kRecipientPrefix).view(), kRecipient);
  EXPECT_TRUE(IsRecipient(kRecipient));
}

TEST(AgeKeys, RefuseWhatIsNotExactlyOne) {
  std::string text = kRecipient;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(IsRecipient(changed)) << i;
    EXPECT_FALSE(IsRecipient(text.substr(0, i))) << i;
  }
  EXPECT_FALSE(IsRecipient(text + "q"));
  EXPECT_FALSE(IsRecipient(kIdentity));
  std::string mixed = text;
  mixed[10] = static_cast<char>(mixed[10] - 'a' + 'A');
  EXPECT_FALSE(IsRecipient(mixed));
  std::array<std::byte, 32> key;
  std::string lower = kIdentity;
  for (char& c : lower) c = AsciiLower(c);
  EXPECT_FALSE(KeyFromBech32(lower, kIdentityPrefix, key));
}

TEST(AgeKeys, ListsNameTheBadItem) {
  std::string_view bad;
  const std::string good = kRecipient;
  for (const std::string& list : {std::string(), std::string("  "), good, good + " , " + good})
    EXPECT_TRUE(CheckRecipientList(list, &bad)) << list;
  const std::string with_bad = good + ",age1x";
  EXPECT_FALSE(CheckRecipientList(with_bad, &bad));
  EXPECT_EQ(bad, "age1x");
  const std::string with_empty = good + ",";
  EXPECT_FALSE(CheckRecipientList(with_empty, &bad));
  EXPECT_EQ(bad, "");
  const Error error = ErrorOf([&] { EncryptionKeys::ForRecipients(good + ", age1x"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(), "\"age1x\" is not an age recipient");
}

TEST(AgeKeys, RefuseARecipientOfLowOrder) {
  const std::string list(KeyToBech32(X25519Share{}, kRecipientPrefix).view());
  const EncryptionKeys keys = EncryptionKeys::ForRecipients(list);
  EXPECT_EQ(ErrorOf([&] { EncryptWith(keys, "rows"); }).kind(), ErrorKind::kInvalid);
}

class AgeKeyFiles : public testing::Test {
 protected:
  std::string Write(const std::string& text, mode_t mode = 0600) const {
    std::string path = folder_.path() + "/keys";
    unlink(path.c_str());
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  TemporaryDirectory folder_;
};

TEST_F(AgeKeyFiles, HoldSeveralIdentitiesWithComments) {
  const NewIdentity made = MakeIdentity(*SystemEnvironment());
  const auto keys = ReadIdentityFile(Write("# mine\n\n" + made.file + "\r\n" + kIdentity));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(KeyToBech32(X25519Public(keys[0]), kRecipientPrefix).view(), made.recipient);
  EXPECT_EQ(KeyToBech32(X25519Public(keys[1]), kRecipientPrefix).view(), kRecipient);
}

TEST_F(AgeKeyFiles, SayWhatIsWrong) {
  const auto refusal = [](const std::string& path) {
    return ErrorOf([&] { ReadIdentityFile(path); });
  };
  EXPECT_EQ(refusal(folder_.path() + "/none").kind(), ErrorKind::kNotFound);
  const Error open = refusal(Write(kIdentity, 0644));
  EXPECT_EQ(open.kind(), ErrorKind::kDenied);
  EXPECT_NE(open.message().find("readable by others"), std::string::npos) << open.message();
  const Error empty = refusal(Write("# public key: age1\n"));
  EXPECT_EQ(empty.kind(), ErrorKind::kInvalid);
  EXPECT_NE(empty.message().find("holds no identity"), std::string::npos) << empty.message();
  const Error wrong = refusal(Write("# key\n" + std::string(kRecipient) + "\n"));
  EXPECT_NE(wrong.message().find("line 2 is not an identity"), std::string::npos)
      << wrong.message();
  // What stands in such a file is a secret also when it is misspelt.
  EXPECT_EQ((wrong.message() + wrong.detail() + wrong.hint()).find(kRecipient), std::string::npos);
  if (geteuid() != 0) {
    const Error unreadable = refusal(Write(kIdentity, 0));
    EXPECT_EQ(unreadable.kind(), ErrorKind::kDenied);
    EXPECT_NE(unreadable.message().find("Permission denied"), std::string::npos);
  }
}

TEST_F(AgeKeyFiles, DecideWhatOpensABackup) {
  EncryptionSettings settings;
  EXPECT_EQ(OpenEncryptionKeys(settings), nullptr);
  const Encryption encryption{"age-x25519", {kRecipient}};
  const Error none = ErrorOf([&] { OpenDecryptionKeys(settings, encryption); });
  EXPECT_NE(none.detail().find(kRecipient), std::string::npos);
  EXPECT_NE(none.hint().find("pgbackup.identity_file"), std::string::npos);
  const Error no_passphrase = ErrorOf([&] {
    OpenDecryptionKeys(settings, Encryption{"age-scrypt", {}});
  });
  EXPECT_NE(no_passphrase.hint().find("pgbackup.passphrase_file"), std::string::npos);

  settings.recipients = kRecipient;
  settings.identity_file = Write(kIdentity);
  const std::string sealed = EncryptWith(*OpenEncryptionKeys(settings), "rows");
  EXPECT_EQ(DecryptWith(*OpenDecryptionKeys(settings, encryption), sealed), "rows");
  // Recipients win over a passphrase, which is then only for older backups.
  settings.passphrase_file = "/nowhere";
  EXPECT_EQ(OpenEncryptionKeys(settings)->scheme(), "age-x25519");
}

TEST_F(AgeKeyFiles, HoldAPassphraseInTheFirstLine) {
  EXPECT_EQ(ReadPassphraseFile(Write("open sesame\r\nmore\n")).view(), "open sesame");
  EXPECT_EQ(ErrorOf([&] { ReadPassphraseFile(Write("\n")); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([&] { ReadPassphraseFile(Write("x", 0644)); }).kind(), ErrorKind::kDenied);
}

}  // namespace
}  // namespace pgbackup
