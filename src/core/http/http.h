// One HTTP exchange: the contract between the S3 client and whatever moves the bytes.
//
// The transport neither sends a request twice, nor follows redirects, nor judges the status: an
// answer is an answer. What ended without one is a TransportError.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/cancellation.h"

namespace pgbackup {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;     // cut at 16 MiB

  // The value of a header (named in lower case), empty when there is none.
  std::string_view Header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

struct HttpRequest {
  std::string method;  // GET, HEAD, PUT, POST, DELETE
  std::string url;     // complete and percent-encoded
  HttpHeaders headers;
  std::span<const std::byte> body;  // borrowed until Perform returns
  // Called before bytes of the body are sent, if given: of `wanted`, how many may be sent now (at
  // least one). Waits as long as it must; the wait is no stall.
  std::function<size_t(size_t wanted)> pace;
  // Takes the body of a 2xx answer piece by piece, instead of HttpResponse::body; `head` has status
  // and headers. What it throws ends the exchange and passes through Perform.
  std::function<void(const HttpResponse& head, std::span<const std::byte>)> on_body;
  // The exchange fails with kStalled when no byte has moved for this long (not counting the time
  // spent in on_body).
  std::chrono::milliseconds stall_timeout{60'000};
  // When not zero, the exchange fails with kStalled after this long whatever moves.
  std::chrono::milliseconds timeout{0};
  // Straight to the host, past any proxy: for addresses that mean another machine to everyone.
  bool no_proxy = false;
  // Any of these ends the exchange at once. Borrowed; the list is short.
  std::vector<const Cancellation*> cancellations;
};

// Why there is no answer.
enum class TransportFailure {
  kResolve,     // the host name is unknown
  kConnect,     // refused, unreachable, or no answer to the connection attempt
  kProxy,       // the proxy could not be reached, or refuses
  kTls,         // the certificate or the handshake is no good; does not pass by itself
  kNotHttp,     // what answers speaks another protocol
  kStalled,     // no byte moved for too long
  kBroken,      // the connection ended early
  kCancelled,   // somebody asked for an end
  kImpossible,  // the request itself cannot be sent
};

class TransportError : public std::exception {
 public:
  TransportError(TransportFailure failure, std::string text)
      : failure_(failure), text_(std::move(text)) {}
  TransportFailure failure() const noexcept { return failure_; }
  // What happened, in the words of the library; holds no secret.
  const std::string& text() const noexcept { return text_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  TransportFailure failure_;
  std::string text_;
};

// Safe for several threads at once.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual HttpResponse Perform(const HttpRequest& request) = 0;
};

}  // namespace pgbackup
