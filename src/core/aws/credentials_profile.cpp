#include "core/aws/credentials_profile.h"

#include <algorithm>

#include "core/aws/credentials_container.h"
#include "core/aws/credentials_imds.h"
#include "core/aws/credentials_process.h"
#include "core/aws/credentials_sts.h"

namespace pgbackup {
namespace {

constexpr std::chrono::seconds kProcessTimeout{60};

// The profiles there are, in a sentence; names are no secrets.
std::string NamesOf(const AwsProfiles& profiles) {
  constexpr size_t kMost = 20;
  std::string names;
  size_t count = 0;
  for (const auto& [name, profile] : profiles) {
    if (++count > kMost) return names + ", ….";
    names += (names.empty() ? "There are profiles \"" : ", \"") + name + "\"";
  }
  return names.empty() ? "There is no profile at all." : names + ".";
}

}  // namespace

// One look through the profiles, from the one asked for to the one that has keys.
class ProfileCredentials::Resolver {
 public:
  Resolver(ProfileCredentials& provider, const AwsProfiles& profiles,
           const Cancellations& cancellations)
      : provider_(provider),
        options_(provider.options_),
        profiles_(profiles),
        cancellations_(cancellations) {}

  // Nullopt when the profile is missing or says nothing about credentials.
  std::optional<Credentials> Resolve(const std::string& name) {
    const auto found = profiles_.find(name);
    if (found == profiles_.end()) return std::nullopt;
    const AwsProfile& profile = found->second;
    // A profile that is its own source stands for the keys beside its role.
    const bool again = std::find(visited_.begin(), visited_.end(), name) != visited_.end();
    if (again && (visited_.back() != name || !Has(profile, "aws_access_key_id")))
      Refuse(name, "goes round in a circle of source_profile");
    visited_.push_back(name);
    if (Has(profile, "role_arn") && !again) return AssumeRole(name, profile);
    if (Has(profile, "aws_access_key_id") || Has(profile, "aws_secret_access_key"))
      return Keys(name, profile);
    if (Has(profile, "credential_process"))
      return RunCredentialProcess(Value(profile, "credential_process"), Environment_(),
                                  kProcessTimeout, cancellations_);
    if (Has(profile, "sso_session") || Has(profile, "sso_start_url"))
      Refuse(name, "signs in through a browser (SSO), which nobody does for a server",
             "Let another profile say credential_process = aws configure export-credentials "
             "--profile " +
                 name + ", or use a role or keys.");
    return std::nullopt;
  }

  [[noreturn]] void RefuseIncomplete(const std::string& name) {
    Refuse(name, "is incomplete",
           "It needs both aws_access_key_id and aws_secret_access_key, or role_arn, or "
           "credential_process.");
  }

 private:
  static bool Has(const AwsProfile& profile, const std::string& key) {
    return !Value(profile, key).empty();
  }
  static std::string Value(const AwsProfile& profile, const std::string& key) {
    const auto found = profile.find(key);
    return found == profile.end() ? "" : found->second;
  }
  const Environment& Environment_() const { return provider_.services_.environment; }

  [[noreturn]] void Refuse(const std::string& name, const std::string& why,
                           const std::string& hint = {}) const {
    throw Error(ErrorKind::kInvalid, "profile \"" + name + "\" of " + options_.where + " " + why,
                {}, hint.empty() ? "Correct the profile." : hint);
  }

  Credentials Keys(const std::string& name, const AwsProfile& profile) {
    Credentials credentials{Value(profile, "aws_access_key_id"),
                            Value(profile, "aws_secret_access_key"),
                            Value(profile, "aws_session_token"),
                            {}};
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
      RefuseIncomplete(name);
    CheckPlausible(credentials, options_.where);
    NoteExpiration(Value(profile, "x_security_token_expires"), &credentials);
    return credentials;
  }

  Credentials AssumeRole(const std::string& name, const AwsProfile& profile) {
    AssumedRole role;
    role.arn = Value(profile, "role_arn");
    role.external_id = Value(profile, "external_id");
    role.duration_seconds = Value(profile, "duration_seconds");
    if (Has(profile, "role_session_name")) role.session_name = Value(profile, "role_session_name");
    if (Has(profile, "mfa_serial"))
      Refuse(name, "asks for a second factor, which nobody types for a server",
             "Remove mfa_serial, or use a role that does without.");
    const bool own_region = !options_.has_region && Has(profile, "region");
    const std::string region = own_region ? Value(profile, "region") : options_.region;
    const StsClient sts(provider_.services_, region);

    const int sources = (Has(profile, "source_profile") ? 1 : 0) +
                        (Has(profile, "credential_source") ? 1 : 0) +
                        (Has(profile, "web_identity_token_file") ? 1 : 0);
    if (sources != 1)
      Refuse(name,
             sources == 0 ? "has a role_arn and nothing to assume it with"
                          : "has more than one way to assume its role",
             "Give it one of source_profile, credential_source and web_identity_token_file.");
    if (Has(profile, "web_identity_token_file"))
      return sts.AssumeRoleWithWebIdentity(
          role,
          ReadTokenFile(Value(profile, "web_identity_token_file"), "the web identity token file"),
          cancellations_);
    const Credentials source = Source(name, profile);
    Credentials assumed = sts.AssumeRole(role, source, cancellations_);
    assumed.source_ends = source.source_ends;
    return assumed;
  }

  // What the role of `profile` is assumed with.
  Credentials Source(const std::string& name, const AwsProfile& profile) {
    if (Has(profile, "source_profile")) {
      const std::string source = Value(profile, "source_profile");
      if (auto found = Resolve(source)) return std::move(*found);
      if (profiles_.count(source) > 0) RefuseIncomplete(source);
      Refuse(name, "names source_profile \"" + source + "\", which does not exist");
    }
    const std::string source = Value(profile, "credential_source");
    CredentialsProvider* provider = source == "Environment"           ? provider_.environment_.get()
                                    : source == "Ec2InstanceMetadata" ? provider_.instance_.get()
                                    : source == "EcsContainer"        ? provider_.container_.get()
                                                                      : nullptr;
    if (provider == nullptr)
      Refuse(name, "has an unknown credential_source",
             "It must be Environment, Ec2InstanceMetadata or EcsContainer.");
    if (auto found = provider->Load(cancellations_)) return std::move(*found);
    throw Error(ErrorKind::kDenied,
                "credential_source " + source + " of profile \"" + name + "\" has no credentials",
                provider->Absence(), "Correct the profile, or set up that source.");
  }

  ProfileCredentials& provider_;
  const ProfileOptions& options_;
  const AwsProfiles& profiles_;
  const Cancellations& cancellations_;
  std::vector<std::string> visited_;
};

ProfileCredentials::ProfileCredentials(const CredentialsServices& services, ProfileOptions options)
    : services_(services),
      options_(std::move(options)),
      environment_(std::make_unique<EnvironmentCredentials>(services.environment)),
      instance_(std::make_unique<InstanceCredentials>(services)),
      container_(std::make_unique<ContainerCredentials>(services)) {}

std::optional<Credentials> ProfileCredentials::Load(const Cancellations& cancellations) {
  AwsProfiles profiles;
  for (const ProfileFile& file : options_.files) {
    if (auto found = ReadAwsConfig(file.path, file.rule))
      MergeProfiles(&profiles, *found);
    else if (file.required)
      throw Error(ErrorKind::kNotFound,
                  "the S3 credentials file \"" + file.path + "\" does not exist", {},
                  "Create it with mode 0600, or correct " + options_.setting + ".");
  }
  Resolver resolver(*this, profiles, cancellations);
  if (auto found = resolver.Resolve(options_.profile)) return found;
  if (!options_.required) return std::nullopt;
  if (profiles.count(options_.profile) > 0) resolver.RefuseIncomplete(options_.profile);
  throw Error(ErrorKind::kNotFound, options_.where + " has no profile \"" + options_.profile + "\"",
              NamesOf(profiles),
              "Add a section [" + options_.profile +
                  "], or correct pgbackup.s3_profile or "
                  "AWS_PROFILE.");
}

std::string ProfileCredentials::Source() const {
  return "profile \"" + options_.profile + "\" of " + options_.where;
}

std::string ProfileCredentials::Absence() const {
  return "Profile \"" + options_.profile + "\" of " + options_.where + " holds none.";
}

}  // namespace pgbackup
