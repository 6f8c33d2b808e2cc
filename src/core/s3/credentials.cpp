#include "core/s3/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"
#include "core/storage/directory.h"

namespace pgbackup {
namespace {

constexpr std::chrono::minutes kRefreshBefore{5};
constexpr size_t kLongestFile = 1u << 20;

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The whole file, after checking that only its owner can read it. Nullopt when it is missing.
std::optional<std::string> ReadPrivateFile(const std::string& path) {
  const std::string failed = "could not read the S3 credentials file \"" + path + "\"";
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file)
    throw Error(ErrorKind::kDenied, failed + ": " + std::generic_category().message(errno), {},
                "The operating system user that runs PostgreSQL must own it.");
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw Error(ErrorKind::kInvalid, failed + ": it is not a regular file");
  if ((status.st_mode & 077) != 0)
    throw Error(ErrorKind::kDenied, failed + ": it is readable by others",
                "The file has group or world access.",
                "Run: chmod 0600 \"" + path +
                    "\" (the owner must be the operating system user "
                    "that runs PostgreSQL).");
  std::string text;
  char chunk[4096];
  for (;;) {
    const ssize_t got = read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorKind::kUnavailable, failed + ": " + std::generic_category().message(errno));
    if (got == 0) return text;
    text.append(chunk, static_cast<size_t>(got));
    if (text.size() > kLongestFile) throw Error(ErrorKind::kInvalid, failed + ": it is too long");
  }
}

// The header of a section, "[default]" or "[profile default]", as its name.
std::string_view SectionName(std::string_view line) {
  line = Trim(line.substr(1, line.find(']') - 1));
  if (line.substr(0, 8) == "profile ") line = Trim(line.substr(8));
  return line;
}

// Fills `credentials` from the section; returns whether it is there.
bool ReadSection(std::string_view text, const std::string& profile, Credentials* credentials) {
  bool found = false, inside = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line.find(']') != std::string_view::npos && SectionName(line) == profile;
      found = found || inside;
      continue;
    }
    const size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    const std::string_view key = Trim(line.substr(0, equals));
    const std::string value(Trim(line.substr(equals + 1)));
    if (key == "aws_access_key_id") credentials->access_key_id = value;
    if (key == "aws_secret_access_key") credentials->secret_access_key = value;
    if (key == "aws_session_token") credentials->session_token = value;
  }
  return found;
}

// A key that would break out of its header line cannot be right.
void CheckPlausible(const Credentials& credentials, const std::string& source) {
  for (const std::string* text : {&credentials.access_key_id, &credentials.session_token})
    for (const char c : *text)
      if (c <= 0x20 || c >= 0x7f)
        throw Error(ErrorKind::kInvalid, "invalid S3 credentials in " + source,
                    "The access key id or session token holds a blank or a control character.");
}

}  // namespace

std::optional<Credentials> FileCredentials::Load() {
  const std::string source = "\"" + path_ + "\"";
  const std::optional<std::string> text = ReadPrivateFile(path_);
  if (!text) {
    if (!required_) return std::nullopt;
    throw Error(ErrorKind::kNotFound, "the S3 credentials file " + source + " does not exist", {},
                "Create it with mode 0600, or correct pgbackup.s3_credentials_file.");
  }
  Credentials credentials;
  if (!ReadSection(*text, profile_, &credentials)) {
    if (!required_) return std::nullopt;
    throw Error(ErrorKind::kNotFound,
                "the S3 credentials file " + source + " has no profile \"" + profile_ + "\"", {},
                "Add a section [" + profile_ + "], or correct pgbackup.s3_profile.");
  }
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw Error(
        ErrorKind::kInvalid,
        "profile \"" + profile_ + "\" of the S3 credentials file " + source + " is incomplete", {},
        "It needs both aws_access_key_id and aws_secret_access_key.");
  CheckPlausible(credentials, source);
  return credentials;
}

std::optional<Credentials> EnvironmentCredentials::Load() {
  Credentials credentials;
  credentials.access_key_id = environment_.Variable("AWS_ACCESS_KEY_ID").value_or("");
  credentials.secret_access_key = environment_.Variable("AWS_SECRET_ACCESS_KEY").value_or("");
  credentials.session_token = environment_.Variable("AWS_SESSION_TOKEN").value_or("");
  if (credentials.access_key_id.empty() && credentials.secret_access_key.empty())
    return std::nullopt;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw Error(ErrorKind::kInvalid,
                "the S3 credentials in the server's environment are incomplete", {},
                "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.");
  CheckPlausible(credentials, "the server's environment");
  return credentials;
}

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers,
                                   const Environment& environment)
    : providers_(std::move(providers)), environment_(environment) {}

std::shared_ptr<const Credentials> CredentialsChain::LoadLocked() {
  for (const auto& provider : providers_)
    if (auto found = provider->Load()) return std::make_shared<const Credentials>(*found);
  throw Error(ErrorKind::kDenied, "there are no S3 credentials",
              "Neither a credentials file nor the server's environment holds any.",
              "Put them into a file with mode 0600 and set pgbackup.s3_credentials_file, or set "
              "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment.");
}

std::shared_ptr<const Credentials> CredentialsChain::Get() {
  const std::lock_guard lock(mutex_);
  if (!current_ || (current_->expires && environment_.Now() + kRefreshBefore >= *current_->expires))
    current_ = LoadLocked();
  return current_;
}

bool CredentialsChain::Refresh(const std::shared_ptr<const Credentials>& used) {
  const std::lock_guard lock(mutex_);
  if (current_ != used) return true;  // another thread was quicker
  current_ = LoadLocked();
  return current_->access_key_id != used->access_key_id ||
         current_->secret_access_key != used->secret_access_key ||
         current_->session_token != used->session_token;
}

std::unique_ptr<CredentialsChain> MakeCredentialsChain(const std::string& file,
                                                       const std::string& profile,
                                                       const Environment& environment) {
  const std::string section =
      !profile.empty() ? profile : environment.Variable("AWS_PROFILE").value_or("default");
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  if (!file.empty()) {
    providers.push_back(std::make_unique<FileCredentials>(file, section, true));
  } else {
    providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
    if (const auto named = environment.Variable("AWS_SHARED_CREDENTIALS_FILE"))
      providers.push_back(std::make_unique<FileCredentials>(*named, section, true));
    else if (const auto home = environment.Variable("HOME"))
      providers.push_back(
          std::make_unique<FileCredentials>(*home + "/.aws/credentials", section, false));
  }
  return std::make_unique<CredentialsChain>(std::move(providers), environment);
}

}  // namespace pgbackup
