// Where the keys come from.
//
// A provider knows one source. The chain asks its providers in order, keeps what the first one
// gave, asks again shortly before it expires and whenever the store calls it expired. Further
// sources (web identity, container and instance metadata, STS) are further providers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/environment.h"

namespace pgbackup {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;        // empty for long-lived keys
  std::optional<WallTime> expires;  // nullopt: as long as the store accepts them
};

class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // The credentials; nullopt when this source is not set up at all; throws Error when it is set up
  // and broken. Called anew for every refresh.
  virtual std::optional<Credentials> Load() = 0;
};

// A section of an AWS shared credentials file. The file must not be readable by group or others.
// With `required` false a missing file is a source that is not set up.
class FileCredentials final : public CredentialsProvider {
 public:
  FileCredentials(std::string path, std::string profile, bool required)
      : path_(std::move(path)), profile_(std::move(profile)), required_(required) {}
  std::optional<Credentials> Load() override;

 private:
  std::string path_;
  std::string profile_;
  bool required_;
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
class EnvironmentCredentials final : public CredentialsProvider {
 public:
  explicit EnvironmentCredentials(const Environment& environment) : environment_(environment) {}
  std::optional<Credentials> Load() override;

 private:
  const Environment& environment_;
};

// Safe for several threads at once.
class CredentialsChain {
 public:
  CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers,
                   const Environment& environment);

  // The credentials to sign with now. Throws kDenied with a hint when no source has any.
  std::shared_ptr<const Credentials> Get();

  // The store called `used` expired or unknown: the next Get asks the providers again. Returns
  // whether that gave other credentials, that is, whether a new try makes sense.
  bool Refresh(const std::shared_ptr<const Credentials>& used);

 private:
  std::shared_ptr<const Credentials> LoadLocked();

  std::vector<std::unique_ptr<CredentialsProvider>> providers_;
  const Environment& environment_;
  std::mutex mutex_;
  std::shared_ptr<const Credentials> current_;  // guarded by mutex_
};

// The chain the settings ask for: `file` alone when it is set; else the environment, else the
// file of AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials. `profile` defaults to AWS_PROFILE,
// then "default".
std::unique_ptr<CredentialsChain> MakeCredentialsChain(const std::string& file,
                                                       const std::string& profile,
                                                       const Environment& environment);

}  // namespace pgbackup
