#include "core/s3/endpoint.h"

#include <algorithm>

#include "core/aws/sigv4.h"
#include "core/base/error.h"
#include "shared/host_port.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowBadEndpoint(const std::string& why) {
  throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_endpoint", why,
              "It must be http://host[:port] or https://host[:port].");
}

// Bucket names that can be a label of a host name.
bool IsHostLabel(const std::string& bucket) {
  for (const char c : bucket)
    if (!((c >= 'a' && c <= 'z') || IsDigit(c) || c == '-')) return false;
  return true;
}

// "host" or "host:port" of what stands behind the scheme, without the scheme's own port: the
// signature covers the Host header, and clients leave that port out of it.
std::string CheckedHost(std::string rest, std::string_view default_port) {
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  if (rest.empty()) ThrowBadEndpoint("The host is missing.");
  if (rest.find('@') != std::string::npos)
    ThrowBadEndpoint("It must not hold credentials; use pgbackup.s3_credentials_file.");
  if (rest.find_first_of("/?#") != std::string::npos)
    ThrowBadEndpoint("There is more than a host and a port in it.");
  const size_t colon = rest.find(':', rest.front() == '[' ? rest.find(']') : 0);
  std::string host = rest.substr(0, colon);
  if (!IsHost(host)) ThrowBadEndpoint("The host is neither a name nor an address.");
  if (colon == std::string::npos) return host;
  const std::string_view port = std::string_view(rest).substr(colon + 1);
  if (!IsPort(port)) ThrowBadEndpoint("The port is not a number between 1 and 65535.");
  return port == default_port ? host : rest;
}

}  // namespace

bool IsRegionName(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsDigit(c) || IsLetter(c) || c == '-' || c == '_'; });
}

Endpoint::Endpoint(const S3Settings& settings, std::string bucket, std::string region)
    : bucket_(std::move(bucket)), region_(std::move(region)) {
  if (!IsRegionName(region_))
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
    custom_host_ = CheckedHost(std::move(rest), scheme_ == "http" ? "80" : "443");
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
