#include "core/s3/s3_error.h"

#include <algorithm>
#include <initializer_list>

#include "core/base/utf8.h"
#include "core/http/web_page.h"
#include "core/s3/s3_meaning.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

// Text of a store, made fit for one line of a log.
std::string Printable(std::string_view text) {
  constexpr size_t kLongest = 300;
  const std::string_view start = CutUtf8(text, kLongest);
  std::string line = ToValidUtf8(start);
  for (char& c : line)
    if (IsControl(c)) c = ' ';
  return start.size() < text.size() ? line + "…" : line;
}

bool IsPlain(const S3Place& place) {
  return place.origin.rfind("http://", 0) == 0;
}

bool Mentions(const std::string& text, std::initializer_list<const char*> any) {
  return std::any_of(any.begin(), any.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

// Why there is no TLS, by the words of the library.
Meaning MeaningOfTls(const std::string& text, const S3Place& place) {
  if (Mentions(text, {"wrong version number", "packet length too long", "unexpected TLS packet"}))
    return {ErrorKind::kInvalid, place.origin + " does not speak TLS",
            "Use http:// in pgbackup.s3_endpoint if the store has no TLS on this port, or name the "
            "port on which it has."};
  if (Mentions(text, {"has expired"}))
    return {ErrorKind::kUnavailable, "the certificate of " + place.origin + " has expired",
            "Renew the store's certificate; if it has not expired, set the clock of this machine."};
  if (Mentions(text, {"not yet valid"}))
    return {ErrorKind::kUnavailable, "the certificate of " + place.origin + " is not yet valid",
            "Set the clock of this machine, for example with NTP."};
  return {ErrorKind::kUnavailable, "no secure connection to " + place.origin,
          place.ca_file.empty()
              ? "For a private certificate authority set pgbackup.s3_ca_file; else check the "
                "store's certificate and this machine's clock."
              : "Check that pgbackup.s3_ca_file (" + place.ca_file +
                    ") is readable and holds the authority that signed the store's certificate."};
}

}  // namespace

Error RefusedError(const S3Purpose& purpose, const S3Place& place, const HttpResponse& response,
                   const S3ErrorBody& body) {
  const Meaning meaning = MeaningOf(purpose, place, response, body);
  std::string detail = "The store answered HTTP status " + std::to_string(response.status);
  if (!body.code.empty()) detail += ", code " + Printable(body.code);
  if (!body.message.empty()) detail += ", \"" + Printable(body.message) + "\"";
  const std::string request_id =
      !body.request_id.empty() ? body.request_id : std::string(response.Header("x-amz-request-id"));
  if (body.code.empty() && !response.body.empty())
    detail += ", \"" + FirstWords(response.body) + "\"";
  const std::string location(response.Header("location"));
  if (!location.empty()) detail += ", Location " + Printable(location);
  if (!request_id.empty()) detail += ", request id " + Printable(request_id);
  return Error(meaning.kind,
               "could not " + purpose.action + " " + purpose.url + ": " + meaning.reason,
               detail + ".", meaning.hint);
}

void ThrowUnclear(const S3Purpose& purpose, const std::string& what) {
  throw Error(ErrorKind::kUnavailable,
              "could not " + purpose.action + " " + purpose.url + ": " + what,
              "The store answered with success, but not with what the S3 API promises.",
              "Check that pgbackup.s3_endpoint is an S3 endpoint.");
}

Error UnreachableError(const S3Purpose& purpose, const S3Place& place,
                       const TransportError& error) {
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string reason, hint;
  switch (error.failure()) {
    case TransportFailure::kResolve:
      reason = "the host name of " + place.origin + " is unknown";
      hint = "Check pgbackup.s3_endpoint and pgbackup.s3_region, and this machine's name servers.";
      break;
    case TransportFailure::kConnect:
      reason = "could not connect to " + place.origin;
      hint = "Check pgbackup.s3_endpoint, that the store runs, and that no firewall is between.";
      break;
    case TransportFailure::kProxy:
      reason = "could not reach " + place.origin + " through the proxy";
      hint = "Check pgbackup.s3_proxy (" + place.proxy +
             "), that the proxy runs, and that it lets this machine connect to the store without a "
             "password.";
      break;
    case TransportFailure::kTls: {
      const Meaning meaning = MeaningOfTls(error.text(), place);
      kind = meaning.kind;
      reason = meaning.reason;
      hint = meaning.hint;
      break;
    }
    case TransportFailure::kNotHttp:
      kind = ErrorKind::kInvalid;
      reason = place.origin + " does not speak HTTP";
      hint = IsPlain(place)
                 ? "Use https:// in pgbackup.s3_endpoint if the store requires TLS on this port; "
                   "otherwise name the port of its S3 API."
                 : "Name the port of the store's S3 API in pgbackup.s3_endpoint.";
      break;
    case TransportFailure::kStalled:
      reason = place.origin + " stopped answering";
      hint = "Look at the network and at the store's health.";
      break;
    case TransportFailure::kBroken:
      reason = "the connection to " + place.origin + " broke";
      hint = "Look at the network and at the store's health.";
      // So does a TLS server that gets plain HTTP.
      if (IsPlain(place) && error.text().find("Empty reply") != std::string::npos)
        hint += " If the store requires TLS on this port, use https:// in pgbackup.s3_endpoint.";
      break;
    case TransportFailure::kCancelled:
      return Error(ErrorKind::kCancelled,
                   "could not " + purpose.action + " " + purpose.url + ": the run was cancelled");
    case TransportFailure::kImpossible:
      kind = ErrorKind::kInvalid;
      reason = "no request can be sent to " + place.origin;
      hint = "Check pgbackup.s3_endpoint.";
      break;
  }
  return Error(kind, "could not " + purpose.action + " " + purpose.url + ": " + reason,
               "The network library says: " + Printable(error.text()) + ".", hint);
}

}  // namespace pgbackup
