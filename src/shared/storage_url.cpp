#include "shared/storage_url.h"

#include <algorithm>

#include "shared/ascii.h"
#include "shared/s3_options.h"
#include "shared/storage_parameters.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

constexpr std::string_view kFilePrefix = "file://";
constexpr std::string_view kS3Prefix = "s3://";

bool Fail(const char** error, const char* why) noexcept {
  *error = why;
  return false;
}

// Parts between slashes: none may be "." or "..", and none empty unless `empty_allowed`.
bool HasGoodParts(std::string_view path, bool empty_allowed) noexcept {
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part =
        slash == std::string_view::npos ? path : std::string_view(path.data(), slash);
    if (part == "." || part == ".." || (part.empty() && !empty_allowed)) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool IsBucketName(std::string_view bucket) noexcept {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  for (const char c : bucket)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
          c == '-' || c == '_'))
      return false;
  const char first = bucket.front(), last = bucket.back();
  return first != '.' && first != '-' && last != '.' && last != '-' &&
         bucket.find("..") == std::string_view::npos;
}

bool ParseFile(std::string_view path, StorageUrl* url, const char** error) noexcept {
  if (path.empty()) return Fail(error, "The path is missing.");
  if (path.front() != '/') return Fail(error, "The path must be absolute: file:///path.");
  if (path.find('?') != std::string_view::npos)
    return Fail(error, "A file:// URL takes no parameters, and its path must not hold \"?\".");
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (path.empty()) return Fail(error, "The path must name a directory below \"/\".");
  std::string_view parts = path;
  parts.remove_prefix(1);
  if (!HasGoodParts(parts, true)) return Fail(error, "The path must not hold \".\" or \"..\".");
  url->scheme = StorageScheme::kFile;
  url->path = path;
  url->bucket = url->prefix = url->parameters = std::string_view();
  return true;
}

bool ParseS3(std::string_view rest, StorageUrl* url, const char** error) noexcept {
  std::string_view parameters;
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) {
    parameters = rest;
    parameters.remove_prefix(mark + 1);
    rest.remove_suffix(rest.size() - mark);
  }
  const size_t slash = rest.find('/');
  const std::string_view bucket =
      slash == std::string_view::npos ? rest : std::string_view(rest.data(), slash);
  std::string_view prefix;
  if (slash != std::string_view::npos) {
    prefix = rest;
    prefix.remove_prefix(slash + 1);
  }
  if (bucket.find('@') != std::string_view::npos)
    return Fail(error, "The URL must not hold credentials; use pgbackup.s3_credentials_file.");
  if (rest.find('#') != std::string_view::npos)
    return Fail(error, "The URL must not hold a fragment.");
  if (bucket.empty()) return Fail(error, "The bucket is missing.");
  if (!IsBucketName(bucket))
    return Fail(error,
                "A bucket name is 3 to 63 letters, digits, \".\", \"-\" and \"_\", and neither "
                "starts nor ends with \".\" or \"-\".");
  while (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  while (!prefix.empty() && prefix.front() == '/') prefix.remove_prefix(1);
  if (!prefix.empty() && !HasGoodParts(prefix, false))
    return Fail(error, "The prefix must not hold empty, \".\" or \"..\" parts.");
  if (!CheckParameters(parameters, error)) return false;
  url->scheme = StorageScheme::kS3;
  url->bucket = bucket;
  url->prefix = prefix;
  url->parameters = parameters;
  url->path = std::string_view();
  return true;
}

// The endpoint a URL leads to, in `value`, without trailing slashes.
std::string_view EndpointOf(const StorageUrl& url, std::string_view otherwise,
                            ParameterValue* value) noexcept {
  using Values = S3Values<const char*, int>;
  std::string_view endpoint = otherwise;
  std::string_view rest = url.parameters;
  for (StorageParameter parameter; NextParameter(&rest, &parameter);)
    if (kS3Options<Values>[parameter.option].text == &Values::endpoint &&
        value->Decode(parameter.value))
      endpoint = value->text();
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.remove_suffix(1);
  return endpoint;
}

}  // namespace

bool ParseStorageUrl(std::string_view text, StorageUrl* url, const char** error) noexcept {
  for (const char c : text)
    if (IsControl(c)) return Fail(error, "The URL must not hold control characters.");
  if (text.starts_with(kFilePrefix)) {
    text.remove_prefix(kFilePrefix.size());
    return ParseFile(text, url, error);
  }
  if (text.starts_with(kS3Prefix)) {
    text.remove_prefix(kS3Prefix.size());
    return ParseS3(text, url, error);
  }
  return Fail(error, "It must be file:///absolute/path or s3://bucket[/prefix].");
}

bool IsSamePlace(const StorageUrl& one, const StorageUrl& other,
                 std::string_view default_endpoint) noexcept {
  ParameterValue first, second;
  return one.scheme == other.scheme && one.path == other.path && one.bucket == other.bucket &&
         one.prefix == other.prefix &&
         EndpointOf(one, default_endpoint, &first) == EndpointOf(other, default_endpoint, &second);
}

bool NextStorage(std::string_view* rest, std::string_view* url) noexcept {
  if (rest->empty()) return false;
  const size_t comma = std::min(rest->find(','), rest->size());
  *url = TrimSpaces(std::string_view(rest->data(), comma));
  rest->remove_prefix(std::min(comma + 1, rest->size()));
  return true;
}

bool CheckStorageList(std::string_view text, const char** error) noexcept {
  if (!text.empty() && text.back() == ',') return Fail(error, "The list ends with a comma.");
  std::string_view rest = text;
  for (std::string_view one; NextStorage(&rest, &one);) {
    StorageUrl url;
    if (!ParseStorageUrl(one, &url, error)) return false;
    std::string_view behind = rest;
    for (std::string_view other; NextStorage(&behind, &other);) {
      StorageUrl second;
      const char* ignored = nullptr;  // its own turn comes
      if (ParseStorageUrl(other, &second, &ignored) && IsSamePlace(url, second, {}))
        return Fail(error, "A storage occurs twice.");
    }
  }
  return true;
}

}  // namespace pgbackup
