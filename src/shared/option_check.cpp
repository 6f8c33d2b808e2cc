#include "shared/option_check.h"

#include <algorithm>

#include "shared/host_port.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

constexpr int kMostTags = 10;
constexpr size_t kLongestTagKey = 128;
constexpr size_t kLongestTagValue = 256;
constexpr size_t kLongestStorageClass = 64;
constexpr size_t kLongestKmsKeyId = 2048;

// What every store takes in a tag.
bool IsTagCharacter(char c) noexcept {
  return IsLetter(c) || IsDigit(c) ||
         std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
}

}  // namespace

bool IsEndpoint(std::string_view text) noexcept {
  if (text.empty()) return true;
  if (text.starts_with("https://"))
    text.remove_prefix(8);
  else if (text.starts_with("http://"))
    text.remove_prefix(7);
  else
    return false;
  return !text.empty() && text.find_first_of("@ ?#") == std::string_view::npos;
}

bool IsRegion(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '_'; });
}

bool IsPathStyle(std::string_view text) noexcept {
  return text.empty() || text == "auto" || text == "on" || text == "off";
}

bool IsWholeNumber(std::string_view text, int most) noexcept {
  int number = 0;
  for (const char c : text) {
    if (!IsDigit(c) || number > (most - (c - '0')) / 10) return false;
    number = number * 10 + (c - '0');
  }
  return true;
}

bool IsStorageClass(std::string_view text) noexcept {
  return text.size() <= kLongestStorageClass && std::all_of(text.begin(), text.end(), [](char c) {
           return IsUpper(c) || IsDigit(c) || c == '_' || c == '-';
         });
}

bool IsEncryption(std::string_view text) noexcept {
  return text.empty() || text == "AES256" || text == "aws:kms";
}

bool IsKmsKeyId(std::string_view text) noexcept {
  return text.size() <= kLongestKmsKeyId &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool IsObjectLockMode(std::string_view text) noexcept {
  return text.empty() || text == "governance" || text == "compliance";
}

bool IsChecksumName(std::string_view text) noexcept {
  return text.empty() || text == "sha256" || text == "crc32c" || text == "crc64nvme";
}

bool CheckProxy(std::string_view text, const char** error) noexcept {
  if (text.empty()) return true;
  *error = "A setting is readable by monitoring roles and must not hold a user or password.";
  if (text.find('@') != std::string_view::npos) return false;
  *error = "A proxy is http://, https:// or socks5h://, a host and a port.";
  std::string_view place;
  for (const std::string_view scheme : {"http://", "https://", "socks5h://"})
    if (text.substr(0, scheme.size()) == scheme) place = text.substr(scheme.size());
  const size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return false;
  return IsHost(place.substr(0, colon)) && IsPort(place.substr(colon + 1));
}

bool NextTag(std::string_view* rest, S3Tag* tag) noexcept {
  if (rest->empty()) return false;
  const size_t comma = std::min(rest->find(','), rest->size());
  const std::string_view pair = TrimSpaces(rest->substr(0, comma));
  rest->remove_prefix(std::min(comma + 1, rest->size()));
  const size_t equals = std::min(pair.find('='), pair.size());
  tag->key = pair.substr(0, equals);
  tag->value = pair.substr(std::min(equals + 1, pair.size()));
  return true;
}

bool CheckTags(std::string_view text, const char** error) noexcept {
  if (text.empty()) return true;
  if (text.back() == ',') {
    *error = "The list ends with a comma.";
    return false;
  }
  int count = 0;
  S3Tag tag;
  for (std::string_view rest = text; NextTag(&rest, &tag);) {
    const char* wrong = nullptr;
    if (++count > kMostTags)
      wrong = "An object can have ten tags.";
    else if (tag.key.empty() || tag.value.data() == tag.key.data() + tag.key.size())
      wrong = "Each tag is key=value, and tags are separated by commas.";
    else if (tag.key.size() > kLongestTagKey || tag.value.size() > kLongestTagValue)
      wrong = "A key has at most 128 characters, a value 256.";
    else if (!std::all_of(tag.key.begin(), tag.key.end(), IsTagCharacter) ||
             !std::all_of(tag.value.begin(), tag.value.end(), IsTagCharacter))
      wrong = "A tag holds letters, digits, spaces and + - = . _ : / @ only.";
    else if (tag.key.substr(0, 4) == "aws:")
      wrong = "Keys that start with \"aws:\" are reserved.";
    S3Tag other;
    for (std::string_view behind = rest; wrong == nullptr && NextTag(&behind, &other);)
      if (other.key == tag.key) wrong = "A key occurs twice.";
    if (wrong != nullptr) {
      *error = wrong;
      return false;
    }
  }
  return true;
}

}  // namespace pgbackup
