// An e-mail as it goes over the wire: RFC 5322 and MIME, pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/environment.h"

namespace pgbackup {

struct MailMessage {
  std::string from;                     // IsEmailAddress
  std::vector<std::string> recipients;  // the same
  std::string subject;                  // any text; line breaks become blanks
  std::string body;                     // any text
  WallTime date;
  std::string id;  // unique left half of the Message-ID: letters, digits, dots
};

// Headers and body, lines ending in CRLF. Subject and body are UTF-8; the body is in base64, so no
// line of it can be mistaken for anything else.
std::string FormatMail(const MailMessage& message);

// The subject as RFC 2047 wants it: as it is when plain ASCII and short, else encoded words.
std::string EncodedSubject(std::string_view subject);

// "Fri, 21 Nov 1997 09:55:06 +0000"
std::string MailDate(WallTime time);

}  // namespace pgbackup
