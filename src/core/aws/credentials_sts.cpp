#include "core/aws/credentials_sts.h"

#include <pugixml.hpp>

#include "core/aws/aws_config_file.h"
#include "core/base/sha256.h"

namespace pgbackup {
namespace {

constexpr CredentialsPatience kStsPatience{std::chrono::seconds(10), std::chrono::seconds(20)};
constexpr const char* kVersion = "2011-06-15";
constexpr const char* kFormType = "application/x-www-form-urlencoded; charset=utf-8";

// <AssumeRole…Response><AssumeRole…Result><Credentials>.
std::optional<Credentials> ParseAnswer(const std::string& xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node found = document.find_node(
      [](const pugi::xml_node& node) { return std::string_view(node.name()) == "Credentials"; });
  Credentials credentials{found.child_value("AccessKeyId"), found.child_value("SecretAccessKey"),
                          found.child_value("SessionToken"),
                          ParseIsoTime(found.child_value("Expiration"))};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      !credentials.expires)
    return std::nullopt;
  return credentials;
}

std::string RegionalOrigin(const std::string& region) {
  for (const char c : region)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
      throw Error(ErrorKind::kInvalid, "AWS has no region \"" + region + "\" to assume a role in",
                  {}, "Set AWS_REGION, or AWS_ENDPOINT_URL_STS, in the server's environment.");
  return "https://sts." + region + ".amazonaws.com" + (region.rfind("cn-", 0) == 0 ? ".cn" : "");
}

std::string HintFor(const std::string& action, const std::string& code) {
  if (code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidIdentityToken")
    return action == "AssumeRole"
               ? "Renew the credentials that the role is assumed with."
               : "The platform must replace the token in time; look at the service account and at "
                 "the role's identity provider.";
  if (code == "AccessDenied")
    return "Allow sts:" + action + " on the role, and look at the role's trust policy.";
  if (code == "SignatureDoesNotMatch" || code == "RequestExpired")
    return "Check the secret key that the role is assumed with, and the clock of this machine.";
  if (code == "InvalidClientTokenId" || code == "InvalidAccessKeyId")
    return "Check the access key id that the role is assumed with.";
  return "Check the role's ARN, its trust policy and the region.";
}

}  // namespace

StsClient::StsClient(const CredentialsServices& services, std::string region)
    : services_(services), region_(std::move(region)), path_("/") {
  const auto endpoint = services.environment.Variable("AWS_ENDPOINT_URL_STS");
  if (!endpoint) {
    origin_ = RegionalOrigin(region_);
    return;
  }
  origin_ = *endpoint;
  const size_t host = origin_.find("://") == std::string::npos ? 0 : origin_.find("://") + 3;
  const size_t slash = origin_.find('/', host);
  if (slash != std::string::npos) {
    path_ = origin_.substr(slash);
    origin_.erase(slash);
  }
  const bool has_scheme = origin_.rfind("https://", 0) == 0 || origin_.rfind("http://", 0) == 0;
  if (!has_scheme || origin_.size() == host ||
      origin_.find_first_of("@?#\\ ") != std::string::npos ||
      path_.find_first_of("?#\\ ") != std::string::npos)
    throw Error(ErrorKind::kInvalid, "invalid value of AWS_ENDPOINT_URL_STS", {},
                "It must be http(s)://host[:port], in the server's environment.");
}

Credentials StsClient::AssumeRole(const AssumedRole& role, const Credentials& as,
                                  const Cancellations& cancellations) const {
  NameValues form;
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  return Ask("AssumeRole", role, std::move(form), &as, cancellations);
}

Credentials StsClient::AssumeRoleWithWebIdentity(const AssumedRole& role, const std::string& token,
                                                 const Cancellations& cancellations) const {
  return Ask("AssumeRoleWithWebIdentity", role, {{"WebIdentityToken", token}}, nullptr,
             cancellations);
}

Credentials StsClient::Ask(const std::string& action, const AssumedRole& role, NameValues form,
                           const Credentials* signed_by, const Cancellations& cancellations) const {
  form.emplace_back("Action", action);
  form.emplace_back("Version", kVersion);
  form.emplace_back("RoleArn", role.arn);
  form.emplace_back("RoleSessionName", role.session_name);
  if (!role.duration_seconds.empty()) form.emplace_back("DurationSeconds", role.duration_seconds);
  const std::string body = CanonicalQuery(form);

  HttpRequest request;
  request.method = "POST";
  request.url = origin_ + path_;
  request.headers = {{"content-type", kFormType}};
  request.body = AsBytes(std::string_view(body));
  if (signed_by != nullptr) {
    const WallTime now = services_.environment.Now();
    request.headers.emplace_back("host", origin_.substr(origin_.find("://") + 3));
    request.headers.emplace_back("x-amz-date", AmzDate(now));
    if (!signed_by->session_token.empty())
      request.headers.emplace_back("x-amz-security-token", signed_by->session_token);
    const SigningRequest signing{"POST", path_, {}, request.headers, ToHex(Sha256::Of(body))};
    Signer signer({signed_by->access_key_id, signed_by->secret_access_key, region_, "sts"});
    request.headers.emplace_back("authorization", signer.Authorization(signing, now));
  }

  const std::string source = "the token service at " + origin_;
  HttpResponse response;
  try {
    response = AskPatiently(services_, request, kStsPatience, cancellations);
  } catch (const TransportError& error) {
    throw SourceUnreachable(source, error,
                            "Check the network, AWS_REGION and AWS_ENDPOINT_URL_STS in the "
                            "server's environment, and pgbackup.s3_ca_file.");
  }
  const std::string failed = "could not assume the role \"" + role.arn + "\"";
  if (response.status < 200 || response.status >= 300)
    throw Error(response.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kDenied,
                failed + ": " + source + " answered " + AnswerInWords(response), {},
                HintFor(action, AnswerCode(response)));
  auto credentials = ParseAnswer(response.body);
  if (!credentials)
    throw Error(ErrorKind::kUnavailable, failed + ": " + source + " answered without credentials",
                {}, "Check AWS_ENDPOINT_URL_STS in the server's environment.");
  CheckPlausible(*credentials, "the answer of " + source);
  return std::move(*credentials);
}

std::optional<Credentials> WebIdentityCredentials::Load(const Cancellations& cancellations) {
  const Environment& environment = services_.environment;
  const auto token_file = environment.Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token_file) return std::nullopt;
  AssumedRole role;
  role.arn = environment.Variable("AWS_ROLE_ARN").value_or("");
  if (role.arn.empty())
    throw Error(ErrorKind::kInvalid, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN", {},
                "Set both in the server's environment, or neither.");
  if (const auto name = environment.Variable("AWS_ROLE_SESSION_NAME")) role.session_name = *name;
  const std::string token = ReadTokenFile(*token_file, "the web identity token file");
  return StsClient(services_, region_).AssumeRoleWithWebIdentity(role, token, cancellations);
}

std::string WebIdentityCredentials::Absence() const {
  return "AWS_WEB_IDENTITY_TOKEN_FILE is not set.";
}

}  // namespace pgbackup
