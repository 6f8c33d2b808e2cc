#include "core/aws/aws_config_file.h"

#include "core/base/error.h"
#include "core/base/small_file.h"
#include "shared/ascii.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

bool HoldsSecrets(const AwsProfiles& profiles) {
  for (const auto& [name, profile] : profiles)
    if (profile.count("aws_secret_access_key") > 0 || profile.count("aws_session_token") > 0)
      return true;
  return false;
}

std::string InLowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = AsciiLower(c);
  return lower;
}

// The name of the profile that a section is, by what stands between its brackets.
std::string ProfileName(std::string_view section) {
  constexpr std::string_view kPrefix = "profile";
  std::string_view name = TrimBlanks(section);
  if (name.size() > kPrefix.size() && InLowerCase(name.substr(0, kPrefix.size())) == kPrefix &&
      (name[kPrefix.size()] == ' ' || name[kPrefix.size()] == '\t'))
    name = TrimBlanks(name.substr(kPrefix.size()));
  const bool is_quoted = name.size() > 2 && (name.front() == '"' || name.front() == '\'') &&
                         name.back() == name.front();
  if (is_quoted) name = name.substr(1, name.size() - 2);
  return InLowerCase(name) == "default" ? "default" : std::string(name);
}

// Windows programs write UTF-16, in which nothing of what is looked for would be found.
void CheckEncoding(std::string_view text, const std::string& failed) {
  const bool has_mark = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (has_mark || text.find('\0') != std::string_view::npos)
    throw Error(ErrorKind::kInvalid, failed + ": it is not in UTF-8",
                has_mark ? "It begins with the byte order mark of UTF-16." : "It holds a NUL byte.",
                "Save it in UTF-8, as plain text.");
}

}  // namespace

AwsProfiles ParseAwsConfig(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
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
      inside = &profiles[ProfileName(line.substr(1, close - 1))];
      continue;
    }
    const size_t equals = line.find('=');
    if (inside == nullptr || equals == std::string_view::npos) continue;
    (*inside)[InLowerCase(TrimBlanks(line.substr(0, equals)))] =
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
  CheckEncoding(file->text, failed);
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
