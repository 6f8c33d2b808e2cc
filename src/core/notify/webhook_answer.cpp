#include "core/notify/webhook_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "core/http/web_page.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

// `text` in lower case, without what is invisible at its ends.
std::string Folded(std::string_view text) {
  constexpr std::string_view kInvisible = " \t\r\n\xEF\xBB\xBF";
  const size_t begin = text.find_first_not_of(kInvisible);
  if (begin == std::string_view::npos) return {};
  std::string folded(text.substr(begin, text.find_last_not_of(kInvisible) + 1 - begin));
  std::transform(folded.begin(), folded.end(), folded.begin(), AsciiLower);
  return folded;
}

// {"ok": false, …} and {"success": false, …}.
bool IsJsonFailure(const std::string& body) {
  if (body.front() != '{') return false;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  if (error || !value.is_object()) return false;
  for (const std::string_view name : {"ok", "success"}) {
    const boost::json::value* said = value.get_object().if_contains(name);
    if (said != nullptr && said->is_bool() && !said->get_bool()) return true;
  }
  return false;
}

// "OK (not found)", "(not found)", "OK (rate limited)": an answer with a reservation.
bool HasReservation(const std::string& body) {
  const bool is_short = body.size() < 200;
  const bool is_remark = body.front() == '(' || body.starts_with("ok (");
  return is_short &&
         ((is_remark && body.back() == ')') || body.find("not found") != std::string::npos);
}

// Whether a body says that nothing was delivered, although the status does not.
bool IsFailure(WebhookFormat format, std::string_view text) {
  if (format == WebhookFormat::kJson || format == WebhookFormat::kTemplate) return false;
  const std::string body = Folded(text);
  if (body.empty()) return false;
  if (body.front() == '<' || IsJsonFailure(body)) return true;
  if (format == WebhookFormat::kHealthchecks) return HasReservation(body);
  return format == WebhookFormat::kTeams && body.starts_with("webhook message delivery failed");
}

// Whether any name or number of the URL, but for its host, is in `words`.
bool Repeats(const std::string& words, const std::string& url) {
  constexpr size_t kShortest = 4;
  const std::string folded_words = Folded(words);
  std::string rest = Folded(url);
  const std::string origin = Folded(WebhookOrigin(url));
  const size_t scheme = origin.find("://") + 3;
  const size_t host = rest.find(std::string_view(origin).substr(scheme), scheme);
  if (host != std::string::npos) rest.erase(host, origin.size() - scheme);
  rest.erase(0, scheme);
  std::string part;
  for (const char c : rest + "/") {
    if (IsLetter(c) || IsDigit(c)) {
      part += c;
      continue;
    }
    if (part.size() >= kShortest && folded_words.find(part) != std::string::npos) return true;
    part.clear();
  }
  return false;
}

}  // namespace

WebhookVerdict JudgeAnswer(WebhookFormat format, const HttpResponse& response) {
  const int status = response.status;
  if (status == 400 || status == 413 || status == 422) return WebhookVerdict::kRefused;
  const bool is_good = status >= 200 && status < 300 && !IsFailure(format, response.body);
  return is_good ? WebhookVerdict::kTaken : WebhookVerdict::kFailed;
}

std::string AnswerInWords(const std::string& url, const HttpResponse& response) {
  const std::string status = fmt::format("status {}", response.status);
  const std::string words = FirstWords(response.body);
  return words.empty() || Repeats(words, url) ? status : fmt::format("{}: \"{}\"", status, words);
}

}  // namespace pgbackup
