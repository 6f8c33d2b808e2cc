#include "core/s3/endpoint.h"

#include "core/base/error.h"
#include "core/s3/sigv4.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowBadEndpoint(const std::string& why) {
  throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_endpoint", why,
              "It must be http://host[:port] or https://host[:port].");
}

// Bucket names that can be a label of a host name.
bool IsHostLabel(const std::string& bucket) {
  for (const char c : bucket)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}

}  // namespace

Endpoint::Endpoint(const S3Settings& settings, std::string bucket, std::string region)
    : bucket_(std::move(bucket)), region_(std::move(region)) {
  for (const char c : region_)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
          c == '_'))
      throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_region", {},
                  "A region is letters, digits and \"-\", such as eu-central-1.");
  if (!settings.endpoint.empty()) {
    std::string rest = settings.endpoint;
    if (rest.rfind("https://", 0) == 0) {
      rest.erase(0, 8);
    } else if (rest.rfind("http://", 0) == 0) {
      rest.erase(0, 7);
      scheme_ = "http";
    } else {
      ThrowBadEndpoint("It does not start with http:// or https://.");
    }
    while (!rest.empty() && rest.back() == '/') rest.pop_back();
    if (rest.empty()) ThrowBadEndpoint("The host is missing.");
    if (rest.find('@') != std::string::npos)
      ThrowBadEndpoint("It must not hold credentials; use pgbackup.s3_credentials_file.");
    for (const char c : rest)
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '/' || c == '?' || c == '#')
        ThrowBadEndpoint("There is more than a host and a port in it.");
    // The signature covers the Host header, from which clients drop a scheme's default port.
    const std::string default_port = scheme_ == "http" ? ":80" : ":443";
    if (rest.size() > default_port.size() &&
        rest.compare(rest.size() - default_port.size(), default_port.size(), default_port) == 0)
      rest.erase(rest.size() - default_port.size());
    custom_host_ = rest;
  }
  if (settings.path_style == "on") {
    path_style_ = true;
  } else if (settings.path_style.empty() || settings.path_style == "auto") {
    path_style_ = is_custom() || !IsHostLabel(bucket_);
  } else if (settings.path_style != "off") {
    throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_path_style", {},
                "It must be auto, on or off.");
  }
}

Endpoint Endpoint::InRegion(std::string region) const {
  Endpoint other = *this;
  other.region_ = std::move(region);
  return other;
}

std::string Endpoint::Host() const {
  std::string host = custom_host_;
  if (host.empty()) {
    host = "s3." + region_ + ".amazonaws.com";
    if (region_.rfind("cn-", 0) == 0) host += ".cn";
  }
  return path_style_ ? host : bucket_ + "." + host;
}

std::string Endpoint::Path(const std::string& key) const {
  std::string path = "/";
  if (path_style_) path += PercentEncode(bucket_);
  if (!key.empty()) {
    if (path_style_) path += '/';
    path += PercentEncode(key, true);
  }
  return path;
}

}  // namespace pgbackup
