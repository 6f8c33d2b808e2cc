#include "core/aws/aws_config_file.h"

#include <unistd.h>

#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

TEST(AwsConfigFile, ReadsSectionsOfEitherFile) {
  const AwsProfiles profiles = ParseAwsConfig(
      "ignored = outside\n# c\n[default]\n region = eu-west-1 \r\n; c\n[profile  b c]\n"
      "role_arn=arn:aws:iam::1:role/x\nnonsense\n[broken\nrole_arn = nobody's\n[b]\nkey = a=b\n"
      "key = c=d\n[profile]\nx = y");
  EXPECT_EQ(profiles.at("default").at("region"), "eu-west-1");
  EXPECT_EQ(profiles.at("b c").at("role_arn"), "arn:aws:iam::1:role/x");
  EXPECT_EQ(profiles.at("b").at("key"), "c=d");
  EXPECT_EQ(profiles.at("profile").at("x"), "y");
  EXPECT_EQ(profiles.size(), 4u);
}

TEST(AwsConfigFile, TakesWhatOtherProgramsWrite) {
  const AwsProfiles profiles = ParseAwsConfig(
      "\xEF\xBB\xBF[Default]\r\nAWS_ACCESS_KEY_ID = a\r\n[profile \"a b\"]\nRegion = r\n"
      "[Profile\tc]\nregion = s\n['d e']\nregion = t\n[Shop]\nregion = u\n");
  EXPECT_EQ(profiles.at("default").at("aws_access_key_id"), "a");
  EXPECT_EQ(profiles.at("a b").at("region"), "r");
  EXPECT_EQ(profiles.at("c").at("region"), "s");
  EXPECT_EQ(profiles.at("d e").at("region"), "t");
  EXPECT_EQ(profiles.at("Shop").at("region"), "u");  // other names do have a case
  EXPECT_EQ(profiles.size(), 5u);
}

TEST(AwsConfigFile, TakesOnePairOfQuotesFromAName) {
  const AwsProfiles profiles = ParseAwsConfig("[profile \"\"a\"\"]\n[profile \" b \"]\n[\"]\n");
  EXPECT_EQ(profiles.count("\"a\""), 1u);
  EXPECT_EQ(profiles.count(" b "), 1u);
  EXPECT_EQ(profiles.count("\""), 1u);
}

TEST(AwsConfigFile, TheFirstFileWinsAndKeysStayTogether) {
  AwsProfiles profiles = ParseAwsConfig("[a]\naws_access_key_id = 1\n");
  MergeProfiles(&profiles, ParseAwsConfig("[a]\naws_access_key_id = 2\naws_secret_access_key = 2\n"
                                          "region = r\n[b]\naws_secret_access_key = 3\n"));
  EXPECT_EQ(profiles.at("a").at("aws_access_key_id"), "1");
  EXPECT_EQ(profiles.at("a").count("aws_secret_access_key"), 0u);
  EXPECT_EQ(profiles.at("a").at("region"), "r");
  EXPECT_EQ(profiles.at("b").at("aws_secret_access_key"), "3");
}

class AwsConfigFileTest : public CredentialsTest {};

TEST_F(AwsConfigFileTest, AFileWithoutSecretsMayBeReadByOthersButNotWritten) {
  const std::string plain = "[default]\nregion = r\n";
  const auto read = [&](const std::string& text, mode_t mode) {
    return ReadAwsConfig(Write(text, mode), AwsFileRule::kPrivateIfSecrets);
  };
  EXPECT_EQ(read(plain, 0644)->at("default").at("region"), "r");
  EXPECT_EQ(ErrorOf([&] { read(plain, 0664); }).kind(), ErrorKind::kDenied);
  const Error error =
      ErrorOf([&] { read(plain + "[profile x]\naws_secret_access_key = hush\n", 0644); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.hint().find("chmod 0600"), std::string::npos);
  EXPECT_EQ(AllOf(error).find("hush"), std::string::npos);
  EXPECT_EQ(ErrorOf([&] { ReadAwsConfig(Write(plain, 0644), AwsFileRule::kPrivate); }).kind(),
            ErrorKind::kDenied);
}

TEST_F(AwsConfigFileTest, AFileInUtf16IsRefusedWithTheReason) {
  const std::string text("\xFF\xFE[\0d\0]\0", 8);
  for (const auto& each : {std::pair(text, "It begins with the byte order mark of UTF-16."),
                           std::pair(text.substr(2), "It holds a NUL byte.")}) {
    const Error error = ErrorOf([&] { ReadAwsConfig(Write(each.first), AwsFileRule::kPrivate); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.message().find("it is not in UTF-8"), std::string::npos);
    EXPECT_EQ(error.detail(), each.second);
  }
}

TEST_F(AwsConfigFileTest, AFileOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string path = Write("[default]\ncredential_process = /bin/true\n");
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  const Error error = ErrorOf([&] { ReadAwsConfig(path, AwsFileRule::kPrivateIfSecrets); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_NE(error.message().find("another user"), std::string::npos);
}

TEST_F(AwsConfigFileTest, AMissingFileIsNoneAndAHugeOneAnError) {
  EXPECT_FALSE(ReadAwsConfig(directory_.path() + "/none", AwsFileRule::kPrivate));
  EXPECT_EQ(ErrorOf([&] {
              ReadAwsConfig(Write(std::string(2 << 20, 'x')), AwsFileRule::kPrivate);
            }).kind(),
            ErrorKind::kInvalid);
}

TEST_F(AwsConfigFileTest, ATokenFileHoldsOneToken) {
  EXPECT_EQ(ReadTokenFile(Write(" ey.J \n", 0644), "the token"), "ey.J");
  EXPECT_EQ(ErrorOf([&] { ReadTokenFile(Write("\n"), "the token"); }).kind(), ErrorKind::kInvalid);
  const Error two = ErrorOf([&] { ReadTokenFile(Write("hush\r\nx: y"), "the token"); });
  EXPECT_EQ(two.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(AllOf(two).find("hush"), std::string::npos);
  const Error none = ErrorOf([&] { ReadTokenFile("/nowhere/token", "the token"); });
  EXPECT_EQ(none.kind(), ErrorKind::kNotFound);
  EXPECT_NE(none.message().find("the token \"/nowhere/token\""), std::string::npos);
}

}  // namespace
}  // namespace pgbackup
