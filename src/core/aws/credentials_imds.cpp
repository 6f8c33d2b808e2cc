#include "core/aws/credentials_imds.h"

#include "core/aws/sigv4.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

constexpr std::chrono::seconds kTimeout{1};
// For a service that is not known to exist, and for one that is.
constexpr CredentialsPatience kFirstPatience{kTimeout, std::chrono::seconds(0)};
constexpr CredentialsPatience kImdsPatience{kTimeout, std::chrono::seconds(5)};
constexpr const char* kImdsSource = "the instance metadata service";
constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr const char* kImdsHint =
    "Set AWS_EC2_METADATA_SERVICE_ENDPOINT in the server's environment right, or set "
    "AWS_EC2_METADATA_DISABLED=true there to do without the service.";

bool IsTrue(const std::optional<std::string>& value) {
  return value && (*value == "true" || *value == "TRUE" || *value == "True");
}

}  // namespace

std::string InstanceCredentials::Origin() const {
  const Environment& environment = services_.environment;
  if (auto origin = environment.Variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    while (!origin->empty() && origin->back() == '/') origin->pop_back();
    const bool has_scheme = origin->rfind("http://", 0) == 0 || origin->rfind("https://", 0) == 0;
    if (!has_scheme || origin->find_first_of("@?#\\ ") != std::string::npos)
      throw Error(ErrorKind::kInvalid, "invalid value of AWS_EC2_METADATA_SERVICE_ENDPOINT", {},
                  "It must be http(s)://host[:port], in the server's environment.");
    return *origin;
  }
  const auto mode = environment.Variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  return mode && (*mode == "IPv6" || *mode == "ipv6") ? "http://[fd00:ec2::254]"
                                                      : "http://169.254.169.254";
}

// Nullopt, with the reason in absence_, when there is nobody who gives tokens.
std::optional<std::string> InstanceCredentials::Token(const std::string& origin,
                                                      const Cancellations& cancellations) {
  HttpRequest request;
  request.method = "PUT";
  request.url = origin + "/latest/api/token";
  request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "300"}};
  request.no_proxy = true;
  HttpResponse response;
  try {
    response = AskPatiently(services_, request, has_answered_ ? kImdsPatience : kFirstPatience,
                            cancellations);
  } catch (const TransportError& error) {
    if (has_answered_) throw SourceUnreachable(kImdsSource, error, kImdsHint);
    absence_ = std::string("Nobody answers at ") + kImdsSource + ", " + origin + ".";
    return std::nullopt;
  }
  const std::string_view token = TrimBlanks(response.body);
  bool is_token = response.status == 200 && !token.empty() && token.size() < 4096;
  for (const char c : token) is_token = is_token && c > 0x20 && c < 0x7f;
  if (is_token) {
    has_answered_ = true;
    return std::string(token);
  }
  const std::string answered = std::string(kImdsSource) + " at " + origin + " answered " +
                               AnswerInWords(response) + " instead of a token";
  if (has_answered_) throw Error(ErrorKind::kUnavailable, answered, {}, kImdsHint);
  absence_ = "T" + answered.substr(1) + ".";
  return std::nullopt;
}

HttpResponse InstanceCredentials::Read(const std::string& url, const std::string& token,
                                       const Cancellations& cancellations) const {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.headers = {{"x-aws-ec2-metadata-token", token}};
  request.no_proxy = true;
  HttpResponse response;
  try {
    response = AskPatiently(services_, request, kImdsPatience, cancellations);
  } catch (const TransportError& error) {
    throw SourceUnreachable(kImdsSource, error, kImdsHint);
  }
  if (response.status != 200 && response.status != 404)
    throw Error(response.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kDenied,
                std::string(kImdsSource) + " answered " + AnswerInWords(response), {}, kImdsHint);
  return response;
}

std::optional<Credentials> InstanceCredentials::Load(const Cancellations& cancellations) {
  if (IsTrue(services_.environment.Variable("AWS_EC2_METADATA_DISABLED"))) {
    absence_ = "AWS_EC2_METADATA_DISABLED is set.";
    return std::nullopt;
  }
  const std::string origin = Origin();
  const auto token = Token(origin, cancellations);
  if (!token) return std::nullopt;
  const HttpResponse roles = Read(origin + kRolePath, *token, cancellations);
  std::string_view role = roles.body;
  role = TrimBlanks(role.substr(0, role.find('\n')));
  if (roles.status == 404 || role.empty()) {
    absence_ = "The instance has no role.";
    return std::nullopt;
  }
  const HttpResponse answer = Read(origin + kRolePath + PercentEncode(role), *token, cancellations);
  if (answer.status == 404)
    throw Error(ErrorKind::kUnavailable,
                std::string(kImdsSource) + " does not know the role it named", {},
                "Look at the instance profile; a role that was just attached takes a minute.");
  return ParseCredentialsJson(answer.body, kImdsSource);
}

}  // namespace pgbackup
