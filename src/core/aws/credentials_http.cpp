#include "core/aws/credentials_http.h"

#include <algorithm>
#include <pugixml.hpp>

#include "core/base/json.h"
#include "core/http/http_headers.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kFirstWait{200};
constexpr std::chrono::milliseconds kLongestWait{2'000};

double Random(Environment& environment) {
  uint32_t bits = 0;
  environment.FillRandom(std::as_writable_bytes(std::span(&bits, 1)));
  return static_cast<double>(bits) / 4294967296.0;
}

bool MayPass(TransportFailure failure) {
  return failure != TransportFailure::kTls && failure != TransportFailure::kNotHttp &&
         failure != TransportFailure::kImpossible;
}

bool MayPass(const HttpResponse& response) {
  const std::string code = AnswerCode(response);
  return Classify(response.status, code) == Reaction::kRetry || code == "IDPCommunicationError";
}

}  // namespace

HttpResponse AskPatiently(const CredentialsServices& services, HttpRequest request,
                          const CredentialsPatience& patience, const Cancellations& cancellations) {
  request.timeout = patience.timeout;
  request.stall_timeout = patience.timeout;
  request.cancellations = cancellations;
  Environment& environment = services.environment;
  Retry retry({kFirstWait, kLongestWait, patience.window}, [&] { return Random(environment); });
  for (;;) {
    std::optional<HttpResponse> answer;
    std::optional<TransportError> failure;
    try {
      answer = services.transport.Perform(request);
      if (!MayPass(*answer)) return std::move(*answer);
    } catch (const TransportError& error) {
      ThrowIfCancelled(cancellations);
      if (!MayPass(error.failure())) throw;
      failure = error;
    }
    const auto wait =
        retry.AfterFailure(environment.SteadyNow(),
                           answer ? ParseRetryAfter(answer->Header("retry-after")) : std::nullopt);
    if (!wait || patience.window.count() == 0) {
      if (failure) throw TransportError(*failure);
      return std::move(*answer);
    }
    const Cancellation nobody;
    environment.Sleep(*wait, cancellations.empty() ? nobody : *cancellations.front());
    ThrowIfCancelled(cancellations);
  }
}

std::string AnswerCode(const HttpResponse& response) {
  if (response.status >= 200 && response.status < 300) return {};
  pugi::xml_document document;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node code = document.find_node(
        [](const pugi::xml_node& node) { return std::string_view(node.name()) == "Code"; });
    return code.child_value();
  }
  try {
    const boost::json::object object = ParseJsonObject(response.body, "the answer");
    return JsonReader(object, "the answer").TextOr("code", "");
  } catch (const Error&) {
    return {};
  }
}

std::string AnswerInWords(const HttpResponse& response) {
  std::string words = "HTTP status " + std::to_string(response.status);
  const std::string code = AnswerCode(response);
  const bool is_word = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.';
  });
  return code.empty() || code.size() > 64 || !is_word ? words : words + " (" + code + ")";
}

Error SourceUnreachable(const std::string& source, const TransportError& error,
                        const std::string& hint) {
  return Error(ErrorKind::kUnavailable, "could not ask " + source + " for S3 credentials",
               "The connection failed: " + error.text() + ".", hint);
}

Credentials ParseCredentialsJson(std::string_view text, const std::string& source) {
  const std::string what = "the answer of " + source;
  const boost::json::object object = ParseJsonObject(text, what);
  const JsonReader reader(object, what);
  Credentials credentials;
  credentials.access_key_id = reader.Text("AccessKeyId");
  credentials.secret_access_key = reader.Text("SecretAccessKey");
  credentials.session_token =
      reader.Has("Token") ? reader.Text("Token") : reader.TextOr("SessionToken", "");
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw Error(ErrorKind::kInvalid, what + " holds no access key");
  if (const auto expiration = reader.OptionalText("Expiration")) {
    credentials.expires = ParseIsoTime(*expiration);
    if (!credentials.expires)
      throw Error(ErrorKind::kInvalid, "field \"Expiration\" of " + what + " is not a time");
  }
  CheckPlausible(credentials, what);
  return credentials;
}

}  // namespace pgbackup
