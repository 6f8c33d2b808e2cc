#include "core/aws/credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "core/aws/credentials_chain.h"
#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

class S3Credentials : public CredentialsTest {
 protected:
  std::unique_ptr<CredentialsChain> Chain(const std::string& file,
                                          const std::string& profile = {}) {
    return MakeCredentialsChain({file, profile, ""}, services_);
  }
  Credentials Get(const std::string& file, const std::string& profile = {}) {
    return *Chain(file, profile)->Get();
  }
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
  for (const mode_t mode : {0604, 0660, 0620, 0644}) {
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

TEST_F(S3Credentials, AProfileOfTheSettingsGoesBeforeKeysOfTheEnvironment) {
  environment_.variables = {{"AWS_ACCESS_KEY_ID", "AKE"},
                            {"AWS_SECRET_ACCESS_KEY", "SE"},
                            {"AWS_SHARED_CREDENTIALS_FILE", Write(kTwoProfiles)}};
  EXPECT_EQ(Get("").access_key_id, "AKE");
  EXPECT_EQ(Get("", "other").access_key_id, "AK2");
  EXPECT_EQ(Get("", "default").access_key_id, "AK1");
  EXPECT_NE(AllOf(ErrorOf([&] { Get("", "absent"); })).find("absent"), std::string::npos);
  environment_.variables["AWS_PROFILE"] = "other";  // a default beside the keys
  EXPECT_EQ(Get("").access_key_id, "AKE");
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

TEST_F(S3Credentials, NothingIsAskedOverTheNetworkWhenThereAreKeys) {
  environment_.variables = {{"HOME", directory_.path()},
                            {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                            {"AWS_WEB_IDENTITY_TOKEN_FILE", Write("token", 0644, "token")},
                            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2"}};
  EXPECT_EQ(Get(Write(kTwoProfiles)).access_key_id, "AK1");
  environment_.variables["AWS_ACCESS_KEY_ID"] = "AKE";
  environment_.variables["AWS_SECRET_ACCESS_KEY"] = "SE";
  EXPECT_EQ(Get("").access_key_id, "AKE");
  EXPECT_EQ(transport_.seen.size(), 0u);
}

TEST_F(S3Credentials, EverySourceHasItsTurn) {
  std::filesystem::create_directory(directory_.path() + "/.aws");
  environment_.variables = {{"HOME", directory_.path()},
                            {"AWS_ACCESS_KEY_ID", "of-the-environment"},
                            {"AWS_SECRET_ACCESS_KEY", "S"},
                            {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                            {"AWS_WEB_IDENTITY_TOKEN_FILE", Write("token", 0644, "token")},
                            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2"}};
  const std::string shared =
      Write("[default]\naws_access_key_id = of-the-file\naws_secret_access_key = S\n", 0600,
            ".aws/credentials");
  transport_.script = [](const AskedRequest& request) {
    if (request.url.find("sts.") != std::string::npos)
      return Answer(200, CredentialsXml("AssumeRoleWithWebIdentity", "of-the-token"));
    if (request.url.find("169.254.170.2") != std::string::npos)
      return Answer(200, CredentialsJson("of-the-container"));
    if (request.method == "PUT") return Answer(200, "T");
    return request.url.back() == '/' ? Answer(200, "r")
                                     : Answer(200, CredentialsJson("of-the-instance"));
  };
  EXPECT_EQ(Get("").access_key_id, "of-the-environment");
  environment_.variables.erase("AWS_ACCESS_KEY_ID");
  environment_.variables.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_EQ(Get("").access_key_id, "of-the-file");
  EXPECT_EQ(transport_.seen.size(), 0u);
  std::filesystem::remove(shared);
  EXPECT_EQ(Get("").access_key_id, "of-the-token");
  environment_.variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(Get("").access_key_id, "of-the-container");
  environment_.variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  EXPECT_EQ(Get("").access_key_id, "of-the-instance");
}

TEST_F(S3Credentials, WithoutAnySaysWhereTheyWereLookedFor) {
  const Error error = ErrorOf([&] { Get(""); });
  for (const char* word : {"AWS_ACCESS_KEY_ID", "shared AWS files", "AWS_WEB_IDENTITY_TOKEN_FILE",
                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "metadata service"})
    EXPECT_NE(error.detail().find(word), std::string::npos) << word << ": " << error.detail();
}

TEST_F(S3Credentials, KeysThatNothingRenewsEndWithTheirExpiration) {
  const WallTime end = environment_.Now() + std::chrono::hours(1);
  const auto ends = [&](const std::string& file) {
    const auto chain = Chain(file);
    EXPECT_FALSE(chain->SourceEnds()) << "before anybody has asked for them";
    const auto found = chain->Get();
    EXPECT_EQ(found->expires, found->source_ends);
    return chain->SourceEnds();
  };
  EXPECT_FALSE(ends(Write(kTwoProfiles)));
  const std::string keys = "[default]\naws_access_key_id = AK\naws_secret_access_key = S\n";
  EXPECT_EQ(ends(Write(keys + "x_security_token_expires = 2023-11-15T00:13:20+01:00\n")), end);
  EXPECT_FALSE(ends(Write(keys + "x_security_token_expires = tomorrow\n")));
  environment_.variables = {{"AWS_ACCESS_KEY_ID", "AKE"},
                            {"AWS_SECRET_ACCESS_KEY", "SE"},
                            {"AWS_CREDENTIAL_EXPIRATION", "2023-11-14T23:13:20Z"}};
  EXPECT_EQ(ends(""), end);
  environment_.variables.erase("AWS_CREDENTIAL_EXPIRATION");
  EXPECT_FALSE(ends(""));
}

TEST_F(S3Credentials, ThoseThatTheirSourceRenewsDoNotEnd) {
  environment_.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2"},
                            {"AWS_CREDENTIAL_EXPIRATION", "2023-11-14T23:13:20Z"}};
  transport_.script = [](const AskedRequest&) { return Answer(200, CredentialsJson("ASIA")); };
  const auto of_container = Chain("");
  EXPECT_TRUE(of_container->Get()->expires);
  EXPECT_FALSE(of_container->SourceEnds());
  const std::string script = Write(
      "echo '{\"Version\": 1, \"AccessKeyId\": \"AKP\", \"SecretAccessKey\": \"s\", "
      "\"Expiration\": \"2023-11-14T23:13:20Z\"}'",
      0600, "get.sh");
  const auto of_program = Chain(Write("[default]\ncredential_process = /bin/sh " + script + "\n"));
  EXPECT_TRUE(of_program->Get()->expires);
  EXPECT_FALSE(of_program->SourceEnds());
}

TEST_F(S3Credentials, KeysThatWereReplacedInTimeAreTakenUp) {
  const std::string keys =
      "[default]\naws_secret_access_key = S\nx_security_token_expires = 2023-11-14T23:13:20Z\n";
  const auto chain = Chain(Write(keys + "aws_access_key_id = OLD\n"));
  EXPECT_EQ(chain->Get()->access_key_id, "OLD");
  Write("[default]\naws_access_key_id = NEW\naws_secret_access_key = S\n");
  EXPECT_EQ(chain->Get()->access_key_id, "OLD");
  environment_.Advance(std::chrono::minutes(56));
  EXPECT_EQ(chain->Get()->access_key_id, "NEW");
  EXPECT_FALSE(chain->SourceEnds());
}

// Gives numbered keys that expire after a while, or fails.
class NumberedCredentials final : public CredentialsProvider {
 public:
  struct Control {
    std::atomic<int> count{0};
    std::chrono::seconds lifetime = std::chrono::hours(1);
    std::optional<Error> failure;
    std::function<void()> meanwhile;
  };
  NumberedCredentials(const Environment& environment, Control& control)
      : environment_(environment), control_(control) {}
  std::optional<Credentials> Load(const Cancellations&) override {
    const int number = ++control_.count;
    if (control_.meanwhile) control_.meanwhile();
    if (control_.failure) throw Error(*control_.failure);
    return Credentials{std::to_string(number), "s", "t", environment_.Now() + control_.lifetime};
  }
  std::string Source() const override { return "numbers"; }
  std::string Absence() const override { return ""; }

 private:
  const Environment& environment_;
  Control& control_;
};

class S3CredentialsChain : public S3Credentials {
 protected:
  S3CredentialsChain() {
    std::vector<std::unique_ptr<CredentialsProvider>> providers;
    providers.push_back(std::make_unique<NumberedCredentials>(environment_, control_));
    chain_ = std::make_unique<CredentialsChain>(std::move(providers), environment_);
  }
  std::string Id() { return chain_->Get()->access_key_id; }

  NumberedCredentials::Control control_;
  std::unique_ptr<CredentialsChain> chain_;
};

TEST_F(S3CredentialsChain, LoadsAnewFiveMinutesBeforeTheyExpire) {
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::minutes(54));
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(Id(), "2");
}

TEST_F(S3CredentialsChain, RenewsShortLivedOnesHalfway) {
  control_.lifetime = std::chrono::minutes(4);
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::seconds(119));
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Id(), "2");
}

TEST_F(S3CredentialsChain, UsesWhatASourceGivesOutPastItsTimeWithoutARush) {
  control_.lifetime = std::chrono::seconds(-60);
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::seconds(9));
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Id(), "2");
}

TEST_F(S3CredentialsChain, AFailedRenewalIsNoFailureWhileTheOldOnesAreValid) {
  EXPECT_EQ(Id(), "1");
  control_.failure = Error(ErrorKind::kUnavailable, "no answer");
  environment_.Advance(std::chrono::minutes(56));
  EXPECT_EQ(Id(), "1");
  EXPECT_EQ(Id(), "1");
  EXPECT_EQ(control_.count, 2);  // not at every request
  environment_.Advance(std::chrono::minutes(4));
  EXPECT_EQ(ErrorOf([&] { Id(); }).message(), "no answer");
  control_.failure.reset();
  EXPECT_EQ(Id(), "4");
}

TEST_F(S3CredentialsChain, OneThreadRenewsAndTheOthersGoOnMeanwhile) {
  EXPECT_EQ(Id(), "1");
  environment_.Advance(std::chrono::minutes(56));
  std::atomic<bool> others_are_done{false};
  std::atomic<bool> has_begun{false};
  control_.meanwhile = [&] {
    has_begun = true;
    for (int i = 0; i < 2000 && !others_are_done; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  std::thread renewer([&] { EXPECT_EQ(Id(), "2"); });
  while (!has_begun) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Id(), "1");
  others_are_done = true;
  renewer.join();
  EXPECT_EQ(Id(), "2");
  EXPECT_EQ(control_.count, 2);
}

TEST_F(S3CredentialsChain, ThreadsThatHaveNothingToGoOnWithWaitForTheOneThatAsks) {
  control_.meanwhile = [] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(Id(), "1"); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(control_.count, 1);
}

TEST_F(S3CredentialsChain, AWaitEndsWithACancel) {
  std::atomic<bool> has_begun{false}, is_over{false};
  control_.meanwhile = [&] {
    has_begun = true;
    while (!is_over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  std::thread renewer([&] { EXPECT_EQ(Id(), "1"); });
  while (!has_begun) std::this_thread::yield();
  Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_EQ(ErrorOf([&] { chain_->Get({&cancellation}); }).kind(), ErrorKind::kCancelled);
  is_over = true;
  renewer.join();
}

TEST_F(S3Credentials, ARefreshTellsWhetherItMadeADifference) {
  const std::string path = Write(kTwoProfiles);
  const auto chain = Chain(path);
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
