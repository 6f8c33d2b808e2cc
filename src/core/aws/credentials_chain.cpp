#include "core/aws/credentials_chain.h"

#include "core/aws/credentials_container.h"
#include "core/aws/credentials_imds.h"
#include "core/aws/credentials_profile.h"
#include "core/aws/credentials_sts.h"

namespace pgbackup {
namespace {

// Where roles are assumed: the environment's region goes first, as with the AWS tools.
void SetRegion(const CredentialsSettings& settings, const Environment& environment,
               ProfileOptions* options) {
  options->region = settings.region.empty() ? "us-east-1" : settings.region;
  options->has_region = false;
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto region = environment.Variable(variable)) {
      options->region = *region;
      options->has_region = true;
      return;
    }
}

void AddSharedFile(const Environment& environment, const char* variable, const char* in_home,
                   AwsFileRule rule, ProfileOptions* options) {
  if (const auto named = environment.Variable(variable))
    options->files.push_back({*named, rule, true});
  else if (const auto home = environment.Variable("HOME"))
    options->files.push_back({*home + in_home, rule, false});
}

}  // namespace

std::unique_ptr<CredentialsChain> MakeCredentialsChain(const CredentialsSettings& settings,
                                                       const CredentialsServices& services) {
  const Environment& environment = services.environment;
  ProfileOptions options;
  options.profile = !settings.profile.empty()
                        ? settings.profile
                        : environment.Variable("AWS_PROFILE").value_or("default");
  SetRegion(settings, environment, &options);
  const std::string region = options.region;

  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  if (!settings.file.empty()) {
    options.files = {{settings.file, AwsFileRule::kPrivate, true}};
    options.required = true;
    options.where = "the S3 credentials file \"" + settings.file + "\"";
    options.setting = "pgbackup.s3_credentials_file";
    providers.push_back(std::make_unique<ProfileCredentials>(services, std::move(options)));
    return std::make_unique<CredentialsChain>(std::move(providers), environment);
  }
  // A profile that somebody named has to be there; "default" is there or not. One that the settings
  // name is meant whatever keys the environment holds; AWS_PROFILE is a default beside them.
  const bool is_asked_for = !settings.profile.empty();
  options.required = is_asked_for || options.profile != "default";
  options.where = "the shared AWS files";
  options.setting = "AWS_SHARED_CREDENTIALS_FILE or AWS_CONFIG_FILE in the server's environment";
  AddSharedFile(environment, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials",
                AwsFileRule::kPrivate, &options);
  AddSharedFile(environment, "AWS_CONFIG_FILE", "/.aws/config", AwsFileRule::kPrivateIfSecrets,
                &options);
  if (!is_asked_for) providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
  providers.push_back(std::make_unique<ProfileCredentials>(services, std::move(options)));
  providers.push_back(std::make_unique<WebIdentityCredentials>(services, region));
  providers.push_back(std::make_unique<ContainerCredentials>(services));
  providers.push_back(std::make_unique<InstanceCredentials>(services));
  return std::make_unique<CredentialsChain>(std::move(providers), environment);
}

}  // namespace pgbackup
