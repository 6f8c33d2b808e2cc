#include "core/aws/credentials_container.h"

#include <arpa/inet.h>

#include <algorithm>

#include "core/aws/aws_config_file.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

constexpr CredentialsPatience kContainerPatience{std::chrono::seconds(5), std::chrono::seconds(10)};
constexpr const char* kContainerSource = "the container credentials endpoint";
constexpr const char* kEcsOrigin = "http://169.254.170.2";

// Addresses are compared as numbers: they have many spellings.
bool IsSafeIpv4(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  const uint32_t number = ntohl(address.s_addr);
  return number >> 24 == 127 || number == 0xa9feaa02 /* 169.254.170.2, ECS */ ||
         number == 0xa9feaa17 /* 169.254.170.23, EKS */;
}

bool IsSafeIpv6(const std::string& host) {
  in6_addr address{}, eks{};
  inet_pton(AF_INET6, "fd00:ec2::23", &eks);
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&address) || IN6_ARE_ADDR_EQUAL(&address, &eks);
}

// The host in an authority, without brackets and port; empty unless it is plainly one.
std::string HostOf(std::string authority) {
  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string::npos) return {};
    const std::string rest = authority.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return {};
    return authority.substr(1, close - 1);
  }
  authority.erase(std::min(authority.find(':'), authority.size()));
  return authority;
}

std::string AskedUrl(const Environment& environment) {
  if (const auto path = environment.Variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    if (path->front() != '/')
      throw Error(ErrorKind::kInvalid, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path", {},
                  "It starts with a slash.");
    return kEcsOrigin + *path;
  }
  std::string url = environment.Variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
  if (!url.empty() && !IsSafeContainerUrl(url))
    throw Error(ErrorKind::kDenied, "AWS_CONTAINER_CREDENTIALS_FULL_URI names an unsafe endpoint",
                {},
                "It must be https, or http on localhost, 169.254.170.2, 169.254.170.23 or "
                "[fd00:ec2::23].");
  return url;
}

std::string AuthorizationToken(const Environment& environment) {
  if (const auto path = environment.Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    return ReadTokenFile(*path, "the container authorization token file");
  std::string token = environment.Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (std::any_of(token.begin(), token.end(), [](char c) { return IsControl(c); }))
    throw Error(ErrorKind::kInvalid, "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a control character");
  return token;
}

}  // namespace

bool IsSafeContainerUrl(const std::string& url) {
  const bool is_https = url.rfind("https://", 0) == 0;
  if (!is_https && url.rfind("http://", 0) != 0) return false;
  for (const char c : url)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
        c == '\\' || c == '@' || c == '#')
      return false;
  const size_t begin = url.find("//") + 2;
  const std::string host =
      HostOf(url.substr(begin, std::min(url.find_first_of("/?", begin), url.size()) - begin));
  if (host.empty()) return false;
  return is_https || host == "localhost" || IsSafeIpv4(host) || IsSafeIpv6(host);
}

std::optional<Credentials> ContainerCredentials::Load(const Cancellations& cancellations) {
  HttpRequest request;
  request.method = "GET";
  request.url = AskedUrl(services_.environment);
  if (request.url.empty()) return std::nullopt;
  request.no_proxy = request.url.rfind("http://", 0) == 0;
  const std::string token = AuthorizationToken(services_.environment);
  if (!token.empty()) request.headers.emplace_back("authorization", token);
  HttpResponse response;
  try {
    response = AskPatiently(services_, request, kContainerPatience, cancellations);
  } catch (const TransportError& error) {
    throw SourceUnreachable(kContainerSource, error,
                            "Check AWS_CONTAINER_CREDENTIALS_FULL_URI or "
                            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI in the server's environment.");
  }
  if (response.status != 200)
    throw Error(response.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kDenied,
                std::string(kContainerSource) + " answered " + AnswerInWords(response), {},
                "Check the role of the task or pod, and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE in "
                "the server's environment.");
  return ParseCredentialsJson(response.body, kContainerSource);
}

std::string ContainerCredentials::Absence() const {
  return "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set.";
}

}  // namespace pgbackup
