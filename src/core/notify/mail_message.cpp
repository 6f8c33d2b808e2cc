#include "core/notify/mail_message.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "core/base/base64.h"
#include "core/base/sha256.h"
#include "core/base/utf8.h"

namespace pgbackup {
namespace {

constexpr size_t kLineLength = 76;
constexpr size_t kLongestSubject = 300;  // bytes
constexpr size_t kEncodedWordBytes = 42;
constexpr size_t kPlainSubject = 60;

std::string OnOneLine(std::string_view text) {
  std::string line = ToValidUtf8(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return line;
}

bool IsPlain(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) > '~') return false;
  return text.find("=?") == std::string_view::npos;
}

}  // namespace

std::string EncodedSubject(std::string_view subject) {
  std::string line = OnOneLine(CutUtf8(subject, kLongestSubject));
  if (IsPlain(line) && line.size() <= kPlainSubject) return line;
  std::string encoded;
  std::string_view rest = line;
  while (!rest.empty()) {
    const std::string_view word = CutUtf8(rest, kEncodedWordBytes);
    rest.remove_prefix(word.size());
    if (!encoded.empty()) encoded += "\r\n ";
    encoded += fmt::format("=?UTF-8?B?{}?=", ToBase64(AsBytes(word)));
  }
  return encoded;
}

std::string MailDate(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  // Not strftime: names of days and months are English whatever the locale.
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

std::string FormatMail(const MailMessage& message) {
  const std::string domain = message.from.substr(message.from.find('@') + 1);
  std::string text = fmt::format(
      "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
      message.from, fmt::join(message.recipients, ",\r\n "), EncodedSubject(message.subject),
      MailDate(message.date), message.id, domain);
  const std::string body = ToBase64(AsBytes(ToValidUtf8(message.body)));
  for (size_t at = 0; at < body.size(); at += kLineLength)
    text.append(body, at, kLineLength).append("\r\n");
  return text;
}

}  // namespace pgbackup
