#include "core/aws/credentials_profile.h"

#include "core/aws/credentials_chain.h"
#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

class CredentialsProfile : public CredentialsTest {
 protected:
  CredentialsProfile() {
    transport_.script = [this](const AskedRequest&) {
      return Answer(200, CredentialsXml("AssumeRole", "ASIA" + std::to_string(++roles_)));
    };
  }

  // By way of the one file that the setting names.
  Credentials Get(const std::string& text, const std::string& profile = "backup") {
    return *MakeCredentialsChain({Write(text), profile, "eu-north-1"}, services_)->Get();
  }
  Error ErrorIn(const std::string& text, const std::string& profile = "backup") {
    Error error = ErrorOf([&] { Get(text, profile); });
    EXPECT_EQ(AllOf(error).find("hush"), std::string::npos) << AllOf(error);
    return error;
  }

  int roles_ = 0;
};

const std::string kBase =
    "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n"
    "[profile backup]\nrole_arn = arn:aws:iam::1:role/b\n";

TEST_F(CredentialsProfile, ARoleIsAssumedWithAnotherProfile) {
  const Credentials found = Get(kBase +
                                "source_profile = base\nexternal_id = e\nrole_session_name = me\n"
                                "duration_seconds = 900\n");
  EXPECT_EQ(found.access_key_id, "ASIA1");
  EXPECT_TRUE(found.expires);
  ASSERT_EQ(transport_.seen.size(), 1u);
  EXPECT_EQ(transport_.seen[0].url, "https://sts.eu-north-1.amazonaws.com/");
  EXPECT_NE(transport_.seen[0].Header("authorization").find("Credential=AKIDBASE/"),
            std::string::npos);
  EXPECT_EQ(transport_.seen[0].body,
            "Action=AssumeRole&DurationSeconds=900&ExternalId=e&"
            "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fb&RoleSessionName=me&Version=2011-06-15");
}

TEST_F(CredentialsProfile, ARoleEndsWithTheKeysThatItIsAssumedWith) {
  EXPECT_FALSE(Get(kBase + "source_profile = base\n").source_ends);
  const std::string temporary =
      "[temporary]\naws_access_key_id = AK\naws_secret_access_key = hush\n"
      "x_security_token_expires = 2023-11-15T10:00:00Z\n";
  const Credentials found = Get(kBase + "source_profile = temporary\n" + temporary);
  EXPECT_EQ(found.expires, environment_.Now() + std::chrono::hours(1));
  EXPECT_EQ(found.source_ends, ParseIsoTime("2023-11-15T10:00:00Z"));
}

TEST_F(CredentialsProfile, AMissingOneIsAnsweredWithThoseThereAre) {
  EXPECT_EQ(ErrorIn(kBase, "Backup").detail(), "There are profiles \"backup\", \"base\".");
  EXPECT_EQ(ErrorIn("key = value", "Backup").detail(), "There is no profile at all.");
}

TEST_F(CredentialsProfile, RolesFormAChain) {
  const Credentials found = Get(kBase +
                                    "source_profile = base\n[last]\nsource_profile = backup\n"
                                    "role_arn = arn:aws:iam::1:role/c\n",
                                "last");
  EXPECT_EQ(found.access_key_id, "ASIA2");
  ASSERT_EQ(transport_.seen.size(), 2u);
  EXPECT_NE(transport_.seen[1].Header("authorization").find("Credential=ASIA1/"),
            std::string::npos);
  EXPECT_EQ(transport_.seen[1].Header("x-amz-security-token"), "token-of-ASIA1");
}

TEST_F(CredentialsProfile, AProfileCanBeItsOwnSourceButNotACircle) {
  EXPECT_EQ(Get(kBase + "source_profile = backup\naws_access_key_id = AK\n"
                        "aws_secret_access_key = hush\n")
                .access_key_id,
            "ASIA1");
  EXPECT_NE(ErrorIn(kBase + "source_profile = backup\n").message().find("circle"),
            std::string::npos);
  EXPECT_NE(ErrorIn(kBase + "source_profile = x\n[x]\nrole_arn = r\nsource_profile = backup\n"
                            "aws_access_key_id = AK\naws_secret_access_key = hush\n")
                .message()
                .find("circle"),
            std::string::npos);
  EXPECT_EQ(transport_.seen.size(), 1u);
}

TEST_F(CredentialsProfile, ARoleIsAssumedWithACredentialSource) {
  environment_.variables = {{"AWS_ACCESS_KEY_ID", "AKIDENV"}, {"AWS_SECRET_ACCESS_KEY", "hush"}};
  Get(kBase + "credential_source = Environment\n");
  EXPECT_NE(transport_.seen[0].Header("authorization").find("Credential=AKIDENV/"),
            std::string::npos);
  environment_.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"}};
  transport_.script = [](const AskedRequest& request) {
    return request.url == "http://169.254.170.2/c"
               ? Answer(200, CredentialsJson("ASIAECS"))
               : Answer(200, CredentialsXml("AssumeRole", "ASIAROLE"));
  };
  EXPECT_EQ(Get(kBase + "credential_source = EcsContainer\n").access_key_id, "ASIAROLE");
  EXPECT_NE(transport_.seen.back().Header("authorization").find("Credential=ASIAECS/"),
            std::string::npos);
  environment_.variables = {{"AWS_EC2_METADATA_DISABLED", "true"}};
  const Error none = ErrorIn(kBase + "credential_source = Ec2InstanceMetadata\n");
  EXPECT_EQ(none.kind(), ErrorKind::kDenied);
  EXPECT_NE(none.detail().find("AWS_EC2_METADATA_DISABLED"), std::string::npos);
  EXPECT_EQ(ErrorIn(kBase + "credential_source = Moon\n").kind(), ErrorKind::kInvalid);
}

TEST_F(CredentialsProfile, ARoleIsAssumedWithAWebIdentity) {
  const std::string token = Write("the.token", 0644, "token");
  EXPECT_EQ(Get(kBase + "web_identity_token_file = " + token + "\n").access_key_id, "ASIA1");
  EXPECT_NE(transport_.seen[0].body.find("WebIdentityToken=the.token"), std::string::npos);
}

TEST_F(CredentialsProfile, TheRegionOfTheEnvironmentGoesFirstThenTheProfiles) {
  const std::string text = kBase + "source_profile = base\nregion = us-west-1\n";
  Get(text);
  environment_.variables["AWS_REGION"] = "us-east-2";
  Get(text);
  EXPECT_EQ(transport_.seen[0].url, "https://sts.us-west-1.amazonaws.com/");
  EXPECT_EQ(transport_.seen[1].url, "https://sts.us-east-2.amazonaws.com/");
}

TEST_F(CredentialsProfile, AProgramIsRunWhenThereAreNoKeys) {
  const std::string script =
      Write("echo '{\"Version\": 1, \"AccessKeyId\": \"AKP\", \"SecretAccessKey\": \"s\"}'", 0600,
            "get.sh");
  const std::string process = "credential_process = /bin/sh " + script + "\n";
  EXPECT_EQ(Get("[backup]\n" + process).access_key_id, "AKP");
  EXPECT_EQ(Get("[backup]\naws_access_key_id = AK\naws_secret_access_key = hush\n" + process)
                .access_key_id,
            "AK");
}

TEST_F(CredentialsProfile, SaysWhatAProfileLacks) {
  EXPECT_NE(ErrorIn(kBase).message().find("nothing to assume it with"), std::string::npos);
  EXPECT_NE(ErrorIn(kBase + "source_profile = base\ncredential_source = Environment\n")
                .message()
                .find("more than one way"),
            std::string::npos);
  EXPECT_NE(ErrorIn(kBase + "source_profile = none\n").message().find("\"none\""),
            std::string::npos);
  EXPECT_NE(ErrorIn(kBase + "source_profile = base\nmfa_serial = m\n").hint().find("mfa_serial"),
            std::string::npos);
  EXPECT_NE(ErrorIn("[backup]\nsso_session = s\n").hint().find("export-credentials"),
            std::string::npos);
  EXPECT_NE(ErrorIn("[backup]\nregion = r\n").message().find("incomplete"), std::string::npos);
  EXPECT_EQ(transport_.seen.size(), 0u);
}

TEST_F(CredentialsProfile, TheSharedFilesAreReadTogether) {
  environment_.variables = {
      {"AWS_SHARED_CREDENTIALS_FILE",
       Write("[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n")},
      {"AWS_CONFIG_FILE", Write("[default]\nregion = r\n[profile backup]\n"
                                "role_arn = arn:aws:iam::1:role/b\nsource_profile = base\n",
                                0644, "config")},
      {"AWS_EC2_METADATA_DISABLED", "true"},
      {"AWS_PROFILE", "backup"}};
  const auto get = [&] { return *MakeCredentialsChain({}, services_)->Get(); };
  EXPECT_EQ(get().access_key_id, "ASIA1");
  environment_.variables["AWS_PROFILE"] = "other";
  const Error other = ErrorOf(get);
  EXPECT_EQ(other.kind(), ErrorKind::kNotFound);
  EXPECT_NE(other.message().find("\"other\""), std::string::npos);
  environment_.variables.erase("AWS_PROFILE");  // the default profile has no credentials
  EXPECT_EQ(ErrorOf(get).message(), "there are no S3 credentials");
}

}  // namespace
}  // namespace pgbackup
