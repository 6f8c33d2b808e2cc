// Credentials by way of a profile of the AWS tools.
//
// A profile holds keys, or names a role to assume with those of another profile, of the environment
// or of the machine, or with a web identity token, or a program that knows them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/aws/aws_config_file.h"
#include "core/aws/credentials.h"
#include "core/aws/credentials_http.h"

namespace pgbackup {

struct ProfileFile {
  std::string path;
  AwsFileRule rule;
  bool required;  // else a missing file is an empty one
};

struct ProfileOptions {
  std::vector<ProfileFile> files;  // an earlier one wins over a later one
  std::string profile;
  bool required;           // else a missing profile, or one without credentials, is no error
  std::string where;       // is looked for, in messages: "the S3 credentials file \"…\""
  std::string setting;     // that names the file, for hints
  std::string region;      // to assume roles in, for profiles without a region of their own
  bool has_region = true;  // whether `region` was asked for, and so wins over the profile's
};

class ProfileCredentials final : public CredentialsProvider {
 public:
  ProfileCredentials(const CredentialsServices& services, ProfileOptions options);
  std::optional<Credentials> Load(const Cancellations& cancellations) override;
  std::string Source() const override;
  std::string Absence() const override;

 private:
  class Resolver;

  CredentialsServices services_;
  ProfileOptions options_;
  // The sources that credential_source can name; they keep what they know of the machine.
  std::unique_ptr<CredentialsProvider> environment_, instance_, container_;
};

}  // namespace pgbackup
