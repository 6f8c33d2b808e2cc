// The files of the AWS tools: ~/.aws/credentials and ~/.aws/config.
//
// Sections of "name = value" lines; "#" and ";" begin comments. A section is called "[name]", in
// the config file "[profile name]"; both are read in either file, also with quotes around the name.
// "[Default]" is the profile "default", and names of settings have no case. Settings we do not know
// are kept and never looked at.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pgbackup {

using AwsProfile = std::map<std::string, std::string>;  // settings by name, in lower case
using AwsProfiles = std::map<std::string, AwsProfile>;  // by the profile's name

// Lenient: what is neither a section nor a setting is skipped, as is a byte order mark. The last of
// two values counts.
AwsProfiles ParseAwsConfig(std::string_view text);

// Adds the profiles of `more`; what `profiles` has already stays as it is.
void MergeProfiles(AwsProfiles* profiles, const AwsProfiles& more);

// Who may read a file besides its owner.
enum class AwsFileRule {
  kPrivate,           // nobody
  kPrivateIfSecrets,  // anybody, unless it holds a secret; nobody else may write it
};

// The profiles in a file; nullopt when it does not exist. Throws kDenied, with the command that
// mends it, for a file that others may read against the rule or that belongs to another user,
// kInvalid for what is no regular file of sensible size, or not in UTF-8.
std::optional<AwsProfiles> ReadAwsConfig(const std::string& path, AwsFileRule rule);

// A token that the platform (Kubernetes) puts into a file, without blanks at its ends. Its mode is
// the platform's business. `what` names the file's purpose in messages.
std::string ReadTokenFile(const std::string& path, const std::string& what);

}  // namespace pgbackup
