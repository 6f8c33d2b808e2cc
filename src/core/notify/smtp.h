// Sending e-mail by libcurl: TLS unless the file says otherwise, certificates always verified.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancellation.h"

namespace pgbackup {

// How mail leaves: what pgbackup.smtp_file says.
struct SmtpServer {
  std::string url;             // smtp://host:port or smtps://host:port
  std::string user, password;  // empty: no login
  std::string from;
  std::string ca_file;  // empty: the system's
  bool tls = true;      // of smtp:// too
};

// Lines "key = value" with the keys url, user, password, from, ca_file and tls (on or off); #
// begins a comment. kInvalid, naming the line but never a value, for anything else.
SmtpServer ParseSmtpServer(std::string_view text, const std::string& path);

// What became of a message for one recipient.
enum class RecipientFate {
  kTaken,    // the server has taken it
  kRefused,  // the server will never take it
  kFailed,   // not now
  kNotTried,
};

struct RecipientAnswer {
  RecipientFate fate = RecipientFate::kNotTried;
  std::string words = {};  // of kRefused and kFailed: a sentence that names the address
};

struct MailAnswer {
  std::vector<RecipientAnswer> recipients;  // in the order of SendMail's
  std::string failure = {};  // why the server took nothing at all; names it, holds no secret
  bool is_refusal = false;   // with `failure`: it will not take this message
};

// Sends a message (FormatMail) to all recipients at once. One that the server refuses keeps none of
// the others from getting it. It is kRefused when others were taken, or the server says that it is
// the address (RFC 3463, 5.1.x); otherwise, since a server that is set up wrong refuses everybody,
// kFailed. Throws kCancelled.
MailAnswer SendMail(const SmtpServer& server, const std::vector<std::string>& recipients,
                    const std::string& message, const Cancellation& cancellation);

}  // namespace pgbackup
