#include "core/http/web_page.h"

#include <algorithm>

#include "core/base/utf8.h"
#include "shared/ascii.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

bool StartsWith(std::string_view text, std::string_view lower_case) noexcept {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char wanted, char c) { return AsciiLower(c) == wanted; });
}

// `text` behind what precedes a document: a byte order mark and blanks.
std::string_view WithoutStart(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return TrimBlanks(text);
}

bool IsMarkup(std::string_view body) noexcept {
  return StartsWith(body, "<!doctype html") || StartsWith(body, "<html");
}

// The length of the markup at the start of `text`: a tag, or an element whose text nobody sees.
size_t MarkupLength(std::string_view text) noexcept {
  for (const std::string_view name : {"script", "style"})
    if (StartsWith(text.substr(1), name)) {
      const size_t end = text.find("</", name.size());
      return end == std::string_view::npos ? text.size() : end;
    }
  const size_t end = text.find('>');
  return end == std::string_view::npos ? text.size() : end + 1;
}

// The length of an invisible character at the start of `text` that steers terminals or the
// direction of what follows: C1 controls, marks of direction. 0 for any other.
size_t SteeringLength(std::string_view text) noexcept {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : '\0';
  };
  if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) < 0xA0) return 2;
  if (at(0) != 0xE2) return 0;
  const bool is_mark =
      at(1) == 0x80 && (at(2) == 0x8E || at(2) == 0x8F || at(2) >= 0xA8) && at(2) <= 0xAE;
  const bool is_isolate = at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
  return is_mark || is_isolate ? 3 : 0;
}

}  // namespace

bool IsWebPage(const HttpResponse& response, bool is_body_unseen) noexcept {
  const std::string_view body = WithoutStart(response.body);
  if (IsMarkup(body)) return true;
  if (!StartsWith(response.Header("content-type"), "text/html")) return false;
  if (body.empty() && !is_body_unseen) return false;
  return std::none_of(response.headers.begin(), response.headers.end(),
                      [](const auto& header) { return StartsWith(header.first, "x-amz-"); });
}

std::string FirstWords(std::string_view body) {
  constexpr size_t kLongest = 120;
  constexpr size_t kRead = 16'384;
  body = WithoutStart(body.substr(0, kRead));
  std::string words;
  while (!body.empty() && words.size() <= kLongest) {
    const size_t skipped = body.front() == '<' ? MarkupLength(body) : SteeringLength(body);
    const unsigned char c = static_cast<unsigned char>(body.front());
    if (skipped == 0 && c > ' ' && c != 0x7f)
      words += body.front();
    else if (!words.empty() && words.back() != ' ')
      words += ' ';
    body.remove_prefix(std::max<size_t>(skipped, 1));
  }
  const bool is_cut = words.size() > kLongest;
  words = ToValidUtf8(CutUtf8(words, kLongest));
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return is_cut ? words + "…" : words;
}

}  // namespace pgbackup
