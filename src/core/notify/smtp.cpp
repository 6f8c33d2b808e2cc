#include "core/notify/smtp.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base/config_lines.h"
#include "core/base/error.h"
#include "core/http/web_page.h"
#include "shared/ascii.h"
#include "shared/email_address.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

constexpr long kSmtpConnectSeconds = 10;
constexpr long kSmtpSeconds = 30;

[[noreturn]] void RefuseFile(const std::string& what) {
  throw Error(ErrorKind::kInvalid, what, {},
              "The file has lines such as: url = smtps://mail.example.com, from = "
              "backup@example.com, user = …, password = ….");
}

// Sets what `key` names; false when it names nothing or the value is not possible.
bool SetValue(SmtpServer* server, std::string_view key, std::string_view value) {
  if (key == "url") {
    server->url = value;
    return value.find('@') == std::string_view::npos &&
           (value.substr(0, 7) == "smtp://" || value.substr(0, 8) == "smtps://");
  }
  if (key == "from") {
    server->from = value;
    return IsEmailAddress(value);
  }
  if (key == "tls") {
    server->tls = value != "off";
    return value == "on" || value == "off";
  }
  if (key == "user") server->user = value;
  if (key == "password") server->password = value;
  if (key == "ca_file") server->ca_file = value;
  return key == "user" || key == "password" || key == "ca_file";
}

struct FreeCurl {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

struct Unsent {
  std::string_view text;
};

size_t OnMailRead(char* buffer, size_t size, size_t count, void* context) {
  auto& unsent = *static_cast<Unsent*>(context);
  const size_t taken = std::min(size * count, unsent.text.size());
  memcpy(buffer, unsent.text.data(), taken);
  unsent.text.remove_prefix(taken);
  return taken;
}

// What was said over the connection. libcurl asks for each recipient in turn.
struct Dialog {
  struct Answer {
    int code = 0;  // 0: none yet
    std::string text;
  };
  std::vector<Answer> of_recipients;
  bool asks_for_recipient = false;  // the last command was RCPT, and is not answered yet
  bool is_data = false;             // the last command was DATA
  bool is_over = false;             // libcurl takes its leave
  Answer last;
  std::string text;  // of an answer of several lines, so far
};

void TakeCommand(Dialog* dialog, std::string_view line) {
  dialog->is_over |= line.starts_with("QUIT");
  if (dialog->is_over) return;
  dialog->asks_for_recipient = line.starts_with("RCPT");
  dialog->is_data = line.starts_with("DATA");
  dialog->last = {};
  if (dialog->asks_for_recipient) dialog->of_recipients.emplace_back();
}

// "550-first line", "550 last line".
void TakeAnswer(Dialog* dialog, std::string_view line) {
  if (dialog->is_over) return;
  int code = 0;
  for (size_t i = 0; i < 3; ++i) {
    if (i >= line.size() || !IsDigit(line[i])) return;
    code = code * 10 + (line[i] - '0');
  }
  constexpr size_t kLongest = 2000;
  if (dialog->text.size() < kLongest)
    dialog->text.append(line.substr(std::min<size_t>(4, line.size())));
  if (line.size() > 3 && line[3] == '-') return;
  dialog->last = {code, FirstWords(dialog->text)};
  if (dialog->asks_for_recipient) dialog->of_recipients.back() = dialog->last;
  dialog->asks_for_recipient = false;
  dialog->text.clear();
}

int OnMailDialog(CURL*, curl_infotype type, char* data, size_t size, void* context) {
  auto* dialog = static_cast<Dialog*>(context);
  const std::string_view text(data, size);
  try {
    if (type == CURLINFO_HEADER_OUT) TakeCommand(dialog, text);
    if (type == CURLINFO_HEADER_IN) TakeAnswer(dialog, text);
  } catch (...) {
    return 0;  // without memory for the words; the code that is missing counts as no answer
  }
  return 0;
}

RecipientAnswer AnswerFor(const std::string& recipient, const Dialog::Answer& said,
                          bool others_are_taken, bool is_delivered) {
  const int kind = said.code / 100;
  if (kind == 2) return {is_delivered ? RecipientFate::kTaken : RecipientFate::kNotTried};
  const bool is_final = kind == 5 && (others_are_taken || said.text.starts_with("5.1."));
  return {is_final ? RecipientFate::kRefused : RecipientFate::kFailed,
          fmt::format("the mail server refused {}: {} {}", recipient, said.code, said.text)};
}

// What became of a message, by what was said until the transfer ended; `failure`: why it failed.
MailAnswer Judge(const Dialog& dialog, const std::vector<std::string>& recipients,
                 const SmtpServer& server, const std::string& failure) {
  MailAnswer answer;
  answer.recipients.resize(recipients.size());
  const auto& said = dialog.of_recipients;
  const size_t count = std::min(said.size(), recipients.size());
  const auto is_taken = [](const Dialog::Answer& each) { return each.code / 100 == 2; };
  const bool any_taken = std::any_of(said.begin(), said.end(), is_taken);
  bool is_explained = false;  // `failure`, by what became of recipients
  for (size_t i = 0; i < count; ++i) {
    if (said[i].code != 0) {
      answer.recipients[i] = AnswerFor(recipients[i], said[i], any_taken, failure.empty());
    } else {
      answer.recipients[i] = {
          RecipientFate::kFailed,
          fmt::format("the mail server did not answer for {}: {}", recipients[i], failure)};
      is_explained = true;
    }
  }
  is_explained |= count == recipients.size() && !any_taken;
  if (failure.empty() || is_explained) return answer;
  answer.failure = fmt::format("{} did not take the message: {}", server.url, failure);
  if (dialog.last.code >= 400)
    answer.failure += fmt::format(": {} {}", dialog.last.code, dialog.last.text);
  answer.is_refusal = dialog.is_data && any_taken && dialog.last.code / 100 == 5;
  return answer;
}

int OnMailProgress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Cancellation*>(context)->IsCancelled() ? 1 : 0;
}

}  // namespace

SmtpServer ParseSmtpServer(std::string_view text, const std::string& path) {
  SmtpServer server;
  ConfigLines lines(text);
  for (std::string_view line; lines.Next(&line);) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.find('\0') != std::string_view::npos ||
        !SetValue(&server, TrimBlanks(line.substr(0, equals)), TrimBlanks(line.substr(equals + 1))))
      RefuseFile(fmt::format("line {} of \"{}\" cannot be understood", lines.number(), path));
  }
  if (server.url.empty() || server.from.empty())
    RefuseFile(fmt::format("\"{}\" lacks {}", path, server.url.empty() ? "url" : "from"));
  return server;
}

MailAnswer SendMail(const SmtpServer& server, const std::vector<std::string>& recipients,
                    const std::string& message, const Cancellation& cancellation) {
  // Nothing else uses libcurl in this process yet, so this may initialize it.
  const std::unique_ptr<CURL, FreeCurl> easy(curl_easy_init());
  if (!easy) throw Error(ErrorKind::kInternal, "could not make a libcurl handle");
  const auto set = [&easy](CURLoption option, auto value) {
    if (curl_easy_setopt(easy.get(), option, value) != CURLE_OK)
      throw Error(ErrorKind::kInternal,
                  fmt::format("could not set libcurl option {}", static_cast<int>(option)));
  };
  std::unique_ptr<curl_slist, FreeList> list;
  for (const std::string& recipient : recipients) {
    curl_slist* longer = curl_slist_append(list.get(), fmt::format("<{}>", recipient).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    [[maybe_unused]] curl_slist* same = list.release();
    list.reset(longer);
  }
  Unsent unsent{message};
  Dialog dialog;
  char error_text[CURL_ERROR_SIZE] = "";
  const std::string from = fmt::format("<{}>", server.from);
  set(CURLOPT_URL, server.url.c_str());
  set(CURLOPT_ERRORBUFFER, error_text);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_CONNECTTIMEOUT, kSmtpConnectSeconds);
  set(CURLOPT_TIMEOUT, kSmtpSeconds);
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
  set(CURLOPT_USE_SSL, static_cast<long>(server.tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!server.ca_file.empty()) set(CURLOPT_CAINFO, server.ca_file.c_str());
  if (!server.user.empty()) {
    set(CURLOPT_USERNAME, server.user.c_str());
    set(CURLOPT_PASSWORD, server.password.c_str());
  }
  set(CURLOPT_MAIL_FROM, from.c_str());
  set(CURLOPT_MAIL_RCPT, list.get());
#if LIBCURL_VERSION_NUM >= 0x080200
  set(CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#else
  set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
#endif
  set(CURLOPT_VERBOSE, 1L);  // for the dialog
  set(CURLOPT_DEBUGFUNCTION, OnMailDialog);
  set(CURLOPT_DEBUGDATA, &dialog);
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, OnMailRead);
  set(CURLOPT_READDATA, &unsent);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, OnMailProgress);
  set(CURLOPT_XFERINFODATA, &cancellation);
  const CURLcode result = curl_easy_perform(easy.get());
  cancellation.ThrowIfCancelled();
  std::string failure;
  if (result != CURLE_OK) failure = error_text[0] != '\0' ? error_text : curl_easy_strerror(result);
  return Judge(dialog, recipients, server, failure);
}

}  // namespace pgbackup
