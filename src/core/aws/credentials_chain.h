// The chain of sources that the settings and the environment ask for.
#pragma once

#include <memory>
#include <string>

#include "core/aws/credentials.h"
#include "core/aws/credentials_http.h"

namespace pgbackup {

struct CredentialsSettings {
  std::string file;     // pgbackup.s3_credentials_file, may be empty
  std::string profile;  // pgbackup.s3_profile; empty: AWS_PROFILE, then "default"
  std::string region;   // pgbackup.s3_region, may be empty
};

// `settings.file` alone when it is set. Else, in this order: the keys in the environment (not when
// `settings.profile` is set), the shared files (AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, by
// default in ~/.aws), a web identity, the container's endpoint, the instance's metadata service.
// Touches neither disk nor network. `services` outlive the chain.
std::unique_ptr<CredentialsChain> MakeCredentialsChain(const CredentialsSettings& settings,
                                                       const CredentialsServices& services);

}  // namespace pgbackup
