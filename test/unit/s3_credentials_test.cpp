#include "core/s3/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class S3Credentials : public ::testing::Test {
 protected:
  S3Credentials() { environment_.variables.clear(); }

  std::string Write(const std::string& text, mode_t mode = 0600) {
    std::string path = directory_.path() + "/credentials";
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  Credentials Get(const std::string& file, const std::string& profile = {}) {
    return *MakeCredentialsChain(file, profile, environment_)->Get();
  }

  TemporaryDirectory directory_;
  FakeEnvironment environment_;
};

const char* const kTwoProfiles =
    "# comment\n[default]\naws_access_key_id = AK1\naws_secret_access_key=S1+/=x\n\n"
    "; another\r\n[profile other]\r\naws_access_key_id=AK2\r\naws_secret_access_key = S2\r\n"
    "aws_session_token = T2\r\nregion = nowhere\r\n";

TEST_F(S3Credentials, ComeFromTheDefaultProfile) {
  const Credentials found = Get(Write(kTwoProfiles));
  EXPECT_EQ(found.access_key_id, "AK1");
  EXPECT_EQ(found.secret_access_key, "S1+/=x");
  EXPECT_EQ(found.session_token, "");
}

TEST_F(S3Credentials, ComeFromTheProfileAskedFor) {
  EXPECT_EQ(Get(Write(kTwoProfiles), "other").session_token, "T2");
  environment_.variables["AWS_PROFILE"] = "other";
  EXPECT_EQ(Get(Write(kTwoProfiles)).secret_access_key, "S2");
}

TEST_F(S3Credentials, AFileThatOthersCanReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0660, 0620, 0644}) {
    const std::string path = Write(kTwoProfiles, mode);
    const Error error = ErrorOf([&] { Get(path); });
    EXPECT_EQ(error.kind(), ErrorKind::kDenied);
    EXPECT_NE(error.hint().find("chmod 0600"), std::string::npos);
  }
  EXPECT_EQ(Get(Write(kTwoProfiles, 0400)).access_key_id, "AK1");
}

TEST_F(S3Credentials, SaysWhatIsMissing) {
  const Error no_file = ErrorOf([&] { Get(directory_.path() + "/none"); });
  EXPECT_EQ(no_file.kind(), ErrorKind::kNotFound);
  EXPECT_NE(no_file.hint().find("pgbackup.s3_credentials_file"), std::string::npos);
  const Error no_profile = ErrorOf([&] { Get(Write(kTwoProfiles), "third"); });
  EXPECT_NE(no_profile.message().find("third"), std::string::npos);
  EXPECT_NE(no_profile.hint().find("pgbackup.s3_profile"), std::string::npos);
  const Error half = ErrorOf([&] { Get(Write("[default]\naws_access_key_id = AK\n")); });
  EXPECT_EQ(half.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([&] { Get(directory_.path()); }).kind(), ErrorKind::kInvalid);
}

TEST_F(S3Credentials, NoErrorHoldsASecret) {
  const Error error = ErrorOf(
      [&] { Get(Write("[default]\naws_access_key_id = A K\naws_secret_access_key = hush\n")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  const std::string all = error.message() + error.detail() + error.hint();
  EXPECT_EQ(all.find("hush"), std::string::npos);
  EXPECT_EQ(all.find("A K"), std::string::npos);
}

TEST_F(S3Credentials, ComeFromTheServersEnvironment) {
  environment_.variables = {
      {"AWS_ACCESS_KEY_ID", "AKE"}, {"AWS_SECRET_ACCESS_KEY", "SE"}, {"AWS_SESSION_TOKEN", "TE"}};
  EXPECT_EQ(Get("").session_token, "TE");
  EXPECT_EQ(Get(Write(kTwoProfiles)).access_key_id, "AK1");  // the setting goes first
  environment_.variables.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_EQ(ErrorOf([&] { Get(""); }).kind(), ErrorKind::kInvalid);
}

TEST_F(S3Credentials, ComeFromTheUsersOwnFileLast) {
  environment_.variables["HOME"] = directory_.path();
  const Error none = ErrorOf([&] { Get(""); });
  EXPECT_EQ(none.kind(), ErrorKind::kDenied);
  EXPECT_NE(none.hint().find("pgbackup.s3_credentials_file"), std::string::npos);
  const std::string path = Write(kTwoProfiles);
  std::filesystem::create_directory(directory_.path() + "/.aws");
  std::filesystem::rename(path, directory_.path() + "/.aws/credentials");
  EXPECT_EQ(Get("").access_key_id, "AK1");
  environment_.variables["AWS_SHARED_CREDENTIALS_FILE"] = directory_.path() + "/none";
  EXPECT_EQ(ErrorOf([&] { Get(""); }).kind(), ErrorKind::kNotFound);
}

// Gives numbered keys that expire after an hour.
class NumberedCredentials final : public CredentialsProvider {
 public:
  explicit NumberedCredentials(const Environment& environment) : environment_(environment) {}
  std::optional<Credentials> Load() override {
    return Credentials{std::to_string(++count_), "s", "t",
                       environment_.Now() + std::chrono::hours(1)};
  }

 private:
  const Environment& environment_;
  int count_ = 0;
};

TEST_F(S3Credentials, AreLoadedAnewFiveMinutesBeforeTheyExpire) {
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  providers.push_back(std::make_unique<NumberedCredentials>(environment_));
  CredentialsChain chain(std::move(providers), environment_);
  EXPECT_EQ(chain.Get()->access_key_id, "1");
  environment_.Advance(std::chrono::minutes(54));
  EXPECT_EQ(chain.Get()->access_key_id, "1");
  environment_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(chain.Get()->access_key_id, "2");
}

TEST_F(S3Credentials, ARefreshTellsWhetherItMadeADifference) {
  const std::string path = Write(kTwoProfiles);
  const auto chain = MakeCredentialsChain(path, "", environment_);
  const auto first = chain->Get();
  EXPECT_FALSE(chain->Refresh(first));
  const auto second = chain->Get();
  Write("[default]\naws_access_key_id = NEW\naws_secret_access_key = S\n");
  EXPECT_EQ(chain->Get()->access_key_id, "AK1");
  EXPECT_TRUE(chain->Refresh(second));
  EXPECT_EQ(chain->Get()->access_key_id, "NEW");
  EXPECT_TRUE(chain->Refresh(second));  // somebody else has done it already
}

}  // namespace
}  // namespace pgbackup
