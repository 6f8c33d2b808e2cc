#include "core/s3/aws_config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"
#include "core/base/trim.h"
#include "core/base/unique_fd.h"

namespace pgbackup {
namespace {

constexpr size_t kLongestFile = 1u << 20;

struct FileText {
  std::string text;
  struct stat status {};
};

// A whole small file; nullopt when it is missing. `failed` begins every message.
std::optional<FileText> ReadWholeFile(const std::string& path, const std::string& failed) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file)
    throw Error(ErrorKind::kDenied, failed + ": " + std::generic_category().message(errno), {},
                "The operating system user that runs PostgreSQL must be able to read it.");
  FileText found;
  if (fstat(file.get(), &found.status) != 0 || !S_ISREG(found.status.st_mode))
    throw Error(ErrorKind::kInvalid, failed + ": it is not a regular file");
  char chunk[4096];
  for (;;) {
    const ssize_t got = read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorKind::kUnavailable, failed + ": " + std::generic_category().message(errno));
    if (got == 0) return found;
    found.text.append(chunk, static_cast<size_t>(got));
    if (found.text.size() > kLongestFile)
      throw Error(ErrorKind::kInvalid, failed + ": it is too long");
  }
}

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
  const std::string chmod = "Run: chmod 0600 \"" + path +
                            "\" (the owner must be the operating system user that runs "
                            "PostgreSQL).";
  const std::optional<FileText> file = ReadWholeFile(path, failed);
  if (!file) return std::nullopt;
  AwsProfiles profiles = ParseAwsConfig(file->text);
  const mode_t mode = file->status.st_mode;
  if ((mode & 077) != 0 && (rule == AwsFileRule::kPrivate || HoldsSecrets(profiles)))
    throw Error(ErrorKind::kDenied, failed + ": it is readable by others",
                "The file has group or world access.", chmod);
  // It decides which programs run and which roles are taken.
  if ((mode & 022) != 0)
    throw Error(ErrorKind::kDenied, failed + ": others may write it",
                "The file has group or world access.", chmod);
  if (file->status.st_uid != 0 && file->status.st_uid != geteuid())
    throw Error(ErrorKind::kDenied, failed + ": it belongs to another user", {},
                "Its owner must be root or the operating system user that runs PostgreSQL.");
  return profiles;
}

std::string ReadTokenFile(const std::string& path, const std::string& what) {
  const std::string failed = "could not read " + what + " \"" + path + "\"";
  const std::optional<FileText> file = ReadWholeFile(path, failed);
  if (!file) throw Error(ErrorKind::kNotFound, failed + ": it does not exist");
  std::string token(TrimBlanks(file->text));
  if (token.empty()) throw Error(ErrorKind::kInvalid, failed + ": it is empty");
  for (const char c : token)
    if (c <= 0x20 || c >= 0x7f)
      throw Error(ErrorKind::kInvalid, failed + ": it holds more than one token");
  return token;
}

}  // namespace pgbackup
