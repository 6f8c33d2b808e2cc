#include "core/s3/web_page.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/trim.h"
#include "core/base/utf8.h"

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
    const bool is_markup = body.front() == '<';
    const unsigned char c = static_cast<unsigned char>(body.front());
    if (!is_markup && c > ' ' && c != 0x7f)
      words += body.front();
    else if (!words.empty() && words.back() != ' ')
      words += ' ';
    body.remove_prefix(is_markup ? MarkupLength(body) : 1);
  }
  const bool is_cut = words.size() > kLongest;
  words = ToValidUtf8(CutUtf8(words, kLongest));
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return is_cut ? words + "…" : words;
}

}  // namespace pgbackup
