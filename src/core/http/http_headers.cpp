#include "core/http/http_headers.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/base/utc_time.h"
#include "shared/ascii.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

// Section 5.6.2.
bool IsTokenCharacter(char c) noexcept {
  return IsDigit(c) || IsLetter(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// The number that two digits are; -1 for anything else.
int TwoDigits(std::string_view text, size_t at) noexcept {
  return IsDigit(text[at]) && IsDigit(text[at + 1]) ? (text[at] - '0') * 10 + (text[at + 1] - '0')
                                                    : -1;
}

}  // namespace

void TakeHeaderLine(std::string_view line, HttpHeaders* headers) {
  if (line.substr(0, 5) == "HTTP/") {
    headers->clear();
    return;
  }
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  if (!std::all_of(name.begin(), name.end(), IsTokenCharacter)) return;
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  headers->emplace_back(std::move(name), TrimBlanks(line.substr(colon + 1)));
}

std::optional<uint64_t> ParseByteCount(std::string_view value) noexcept {
  if (value.empty() || !std::all_of(value.begin(), value.end(), IsDigit)) return std::nullopt;
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc()) return std::nullopt;
  return count;
}

std::optional<ContentRange> ParseContentRange(std::string_view value) noexcept {
  constexpr std::string_view kUnit = "bytes ";
  const size_t slash = value.find('/');
  if (!value.starts_with(kUnit) || slash == std::string_view::npos) return std::nullopt;
  const std::string_view range = value.substr(kUnit.size(), slash - kUnit.size());
  const std::string_view size = value.substr(slash + 1);
  ContentRange found;
  if (size != "*") {
    found.size = ParseByteCount(size);
    if (!found.size) return std::nullopt;
  }
  if (range == "*") return found.size ? std::optional(found) : std::nullopt;
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = ParseByteCount(range.substr(0, dash));
  const auto last = ParseByteCount(range.substr(dash + 1));
  if (!first || !last || *first > *last || (found.size && *last >= *found.size))
    return std::nullopt;
  found.bytes = {*first, *last};
  return found;
}

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value) noexcept {
  constexpr size_t kMostDigits = 6;
  const auto seconds = ParseByteCount(value);
  if (!seconds || value.size() > kMostDigits) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

std::optional<WallTime> ParseHttpDate(std::string_view value) noexcept {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  // Digits of a pattern stand for digits; strptime would follow the locale.
  static constexpr std::string_view kForm = "???, 00 ??? 0000 00:00:00 GMT";
  if (value.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? !IsDigit(value[i]) : kForm[i] != '?' && value[i] != kForm[i])
      return std::nullopt;
  const size_t month = kMonths.find(value.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  return UtcTime(TwoDigits(value, 12) * 100 + TwoDigits(value, 14), static_cast<int>(month / 3) + 1,
                 TwoDigits(value, 5), TwoDigits(value, 17), TwoDigits(value, 20),
                 TwoDigits(value, 23));
}

}  // namespace pgbackup
