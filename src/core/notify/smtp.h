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

// Sends a message (FormatMail) to all recipients. kUnavailable, kDenied or kCancelled when that
// fails; the text names the server and holds no secret.
void SendMail(const SmtpServer& server, const std::vector<std::string>& recipients,
              const std::string& message, const Cancellation& cancellation);

}  // namespace pgbackup
