// The files and answers that credentials come in: core/aws/aws_config_file.h,
// core/aws/credentials_http.h, core/aws/credentials_process.h.
#include <fmt/format.h>

#include <chrono>

#include "core/aws/aws_config_file.h"
#include "core/aws/credentials_http.h"
#include "core/aws/credentials_process.h"
#include "core/base/error.h"
#include "fuzz.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

// In quotes, since a name may have blanks or quotes of its own at its ends.
std::string Spelled(const AwsProfiles& profiles) {
  std::string text;
  for (const auto& [name, profile] : profiles) {
    text += name.empty() ? "[]\n" : "[profile \"" + name + "\"]\n";
    for (const auto& [key, value] : profile) text.append(key).append("=").append(value) += '\n';
  }
  return text;
}

// Profiles written down again are the same profiles.
void CheckConfig(std::string_view text) {
  const AwsProfiles profiles = ParseAwsConfig(text);
  REQUIRE(ParseAwsConfig(Spelled(profiles)) == profiles);
  for (const auto& [name, profile] : profiles)
    for (const auto& [key, value] : profile) {
      REQUIRE(TrimBlanks(key) == key && TrimBlanks(value) == value);
      REQUIRE((key + value).find('\n') == std::string::npos);
    }
  AwsProfiles merged = profiles;
  MergeProfiles(&merged, profiles);
  REQUIRE(merged == profiles);
  merged.clear();
  MergeProfiles(&merged, profiles);
  REQUIRE(merged == profiles);
}

// Credentials fit into header lines, and no error repeats what it has read.
void CheckJson(std::string_view text) {
  try {
    const Credentials credentials = ParseCredentialsJson(text, "the source");
    REQUIRE(!credentials.access_key_id.empty() && !credentials.secret_access_key.empty());
    REQUIRE(IsGraphic(credentials.access_key_id) && IsGraphic(credentials.session_token));
  } catch (const Error& error) {
    constexpr size_t kLongest = 400;
    REQUIRE(error.kind() == ErrorKind::kInvalid);
    REQUIRE(error.message().find("the source") != std::string::npos);
    REQUIRE(error.message().size() + error.detail().size() < kLongest);
  }
  HttpResponse response{403, {}, std::string(text)};
  const std::string words = AnswerInWords(response);
  REQUIRE(words.starts_with("HTTP status 403") && words.size() < 100);
  for (const char c : words) REQUIRE(c >= 0x20 && c < 0x7f);
}

// A time written down again is the same time.
void CheckTime(std::string_view text) {
  const auto time = ParseIsoTime(text);
  if (!time) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
  REQUIRE(seconds == *time);
  if (seconds.time_since_epoch().count() < 0) return;  // by an offset, to a year that is refused
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(seconds - days);
  REQUIRE(ParseIsoTime(fmt::format(
              "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
              static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
              clock.hours().count(), clock.minutes().count(), clock.seconds().count())) == time);
}

// Words, each in quotes, are the same words.
void CheckCommand(const std::string& text) {
  std::vector<std::string> words;
  try {
    words = SplitCommand(text);
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kInvalid);
    return;
  }
  std::string quoted;
  for (const std::string& word : words) {
    quoted += " \"";
    for (const char c : word) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    quoted += "\"";
  }
  REQUIRE(SplitCommand(quoted) == words);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(pgbackup::TextOf(data, size));
  pgbackup::CheckConfig(text);
  pgbackup::CheckJson(text);
  pgbackup::CheckTime(text);
  pgbackup::CheckCommand(text);
  return 0;
}
