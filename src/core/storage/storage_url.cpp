#include "core/storage/storage_url.h"

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
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (path.empty()) return Fail(error, "The path must name a directory below \"/\".");
  std::string_view parts = path;
  parts.remove_prefix(1);
  if (!HasGoodParts(parts, true)) return Fail(error, "The path must not hold \".\" or \"..\".");
  url->scheme = StorageScheme::kFile;
  url->path = path;
  url->bucket = url->prefix = std::string_view();
  return true;
}

bool ParseS3(std::string_view rest, StorageUrl* url, const char** error) noexcept {
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
  if (rest.find_first_of("?#") != std::string_view::npos)
    return Fail(error, "The URL must not hold a query or a fragment.");
  if (bucket.empty()) return Fail(error, "The bucket is missing.");
  if (!IsBucketName(bucket))
    return Fail(error,
                "A bucket name is 3 to 63 letters, digits, \".\", \"-\" and \"_\", and neither "
                "starts nor ends with \".\" or \"-\".");
  while (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  while (!prefix.empty() && prefix.front() == '/') prefix.remove_prefix(1);
  if (!prefix.empty() && !HasGoodParts(prefix, false))
    return Fail(error, "The prefix must not hold empty, \".\" or \"..\" parts.");
  url->scheme = StorageScheme::kS3;
  url->bucket = bucket;
  url->prefix = prefix;
  url->path = std::string_view();
  return true;
}

}  // namespace

bool ParseStorageUrl(std::string_view text, StorageUrl* url, const char** error) noexcept {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return Fail(error, "The URL must not hold control characters.");
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

}  // namespace pgbackup
