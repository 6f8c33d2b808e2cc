// What the sources of credentials that are asked over HTTP have in common: patience, and care with
// the words of others.
#pragma once

#include <string>
#include <string_view>

#include "core/aws/credentials.h"
#include "core/base/iso_time.h"
#include "core/http/http.h"
#include "core/http/retry.h"

namespace pgbackup {

// What such a source is given; both outlive it.
struct CredentialsServices {
  Transport& transport;
  Environment& environment;
};

// How long a source is waited for.
struct CredentialsPatience {
  std::chrono::milliseconds timeout;  // of one try
  std::chrono::milliseconds window;   // for tries after the first failed one; zero: one try
};

// The answer, whatever its status, after repeating what may pass: no connection, 429, 5xx and codes
// of that kind in the body. Throws TransportError, or Error(kCancelled).
HttpResponse AskPatiently(const CredentialsServices& services, HttpRequest request,
                          const CredentialsPatience& patience, const Cancellations& cancellations);

// The error code in an XML or JSON answer, empty when there is none.
std::string AnswerCode(const HttpResponse& response);

// "HTTP status 403 (AccessDenied)", fit for a message: a code that is not a plain word is left out.
std::string AnswerInWords(const HttpResponse& response);

// kUnavailable: `source` could not be reached.
Error SourceUnreachable(const std::string& source, const TransportError& error,
                        const std::string& hint);

// Credentials as processes and the metadata services write them: a JSON object with AccessKeyId,
// SecretAccessKey, Token or SessionToken, and Expiration. Throws kInvalid naming `source`, without
// repeating what it read.
Credentials ParseCredentialsJson(std::string_view text, const std::string& source);

}  // namespace pgbackup
