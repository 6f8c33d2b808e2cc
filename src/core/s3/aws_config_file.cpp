#include "core/s3/aws_config_file.h"

#include "core/base/error.h"
#include "core/base/small_file.h"
#include "core/base/trim.h"

namespace pgbackup {
namespace {

bool HoldsSecrets(const AwsProfiles& profiles) {
  for (const auto& [name, profile] : profiles)
    if (profile.count("aws_secret_access_key") > 0 || profile.count("aws_session_token") > 0)
      return true;
  return false;
}

}  // namespace

AwsProfiles ParseAwsConfig(std::string_view text) {
  constexpr std::string_view kPrefix = "profile ";
  AwsProfiles profiles;
  AwsProfile* inside = nullptr;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = TrimBlanks(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const size_t close = line.find(']');
      inside = nullptr;
      if (close == std::string_view::npos) continue;
      std::string_view name = TrimBlanks(line.substr(1, close - 1));
      if (name.substr(0, kPrefix.size()) == kPrefix) name = TrimBlanks(name.substr(kPrefix.size()));
      inside = &profiles[std::string(name)];
      continue;
    }
    const size_t equals = line.find('=');
    if (inside == nullptr || equals == std::string_view::npos) continue;
    (*inside)[std::string(TrimBlanks(line.substr(0, equals)))] =
        TrimBlanks(line.substr(equals + 1));
  }
  return profiles;
}

void MergeProfiles(AwsProfiles* profiles, const AwsProfiles& more) {
  for (const auto& [name, profile] : more) {
    AwsProfile& merged = (*profiles)[name];
    // A key and the secret beside it stay together: half a pair of each file fits no lock.
    const bool has_keys = merged.count("aws_access_key_id") > 0;
    for (const auto& [key, value] : profile)
      if (!has_keys || (key != "aws_secret_access_key" && key != "aws_session_token"))
        merged.emplace(key, value);
  }
}

std::optional<AwsProfiles> ReadAwsConfig(const std::string& path, AwsFileRule rule) {
  const std::string failed = "could not read the S3 credentials file \"" + path + "\"";
  const std::optional<SmallFile> file = ReadSmallFile(path, failed);
  if (!file) return std::nullopt;
  AwsProfiles profiles = ParseAwsConfig(file->text);
  // Who writes it decides which programs run and which roles are taken.
  CheckPrivacy(path, *file,
               rule == AwsFileRule::kPrivate || HoldsSecrets(profiles) ? FilePrivacy::kPrivate
                                                                       : FilePrivacy::kReadable,
               failed);
  return profiles;
}

std::string ReadTokenFile(const std::string& path, const std::string& what) {
  const std::string failed = "could not read " + what + " \"" + path + "\"";
  const std::optional<SmallFile> file = ReadSmallFile(path, failed);
  if (!file) throw Error(ErrorKind::kNotFound, failed + ": it does not exist");
  std::string token(TrimBlanks(file->text));
  if (token.empty()) throw Error(ErrorKind::kInvalid, failed + ": it is empty");
  for (const char c : token)
    if (c <= 0x20 || c >= 0x7f)
      throw Error(ErrorKind::kInvalid, failed + ": it holds more than one token");
  return token;
}

}  // namespace pgbackup
