// The header lines of an answer and the values in them: core/http/http_headers.h.
#include <fmt/format.h>

#include <string>

#include "core/http/http_headers.h"
#include "fuzz.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

HttpHeaders Taken(std::string_view text) {
  HttpHeaders headers;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    TakeHeaderLine(text.substr(0, end), &headers);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return headers;
}

// Headers written down again are the same headers.
void CheckLines(std::string_view text) {
  const HttpHeaders headers = Taken(text);
  std::string spelled;
  for (const auto& [name, value] : headers) {
    REQUIRE(!name.empty() && IsGraphic(name));
    REQUIRE(name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ:") == std::string::npos);
    REQUIRE(TrimBlanks(value) == value);
    spelled.append(name).append(": ").append(value) += "\r\n";
  }
  REQUIRE(Taken(spelled) == headers);
}

void CheckContentRange(std::string_view text) {
  const auto range = ParseContentRange(text);
  if (!range) return;
  REQUIRE(range->bytes || range->size);
  if (range->bytes) REQUIRE(range->bytes->first <= range->bytes->last);
  if (range->bytes && range->size) REQUIRE(range->bytes->last < *range->size);
  REQUIRE(ParseContentRange(fmt::format(
              "bytes {}/{}",
              range->bytes ? fmt::format("{}-{}", range->bytes->first, range->bytes->last) : "*",
              range->size ? fmt::format("{}", *range->size) : "*")) == range);
}

void CheckCounts(std::string_view text) {
  const auto count = ParseByteCount(text);
  if (count) REQUIRE(ParseByteCount(std::to_string(*count)) == count);
  const auto wait = ParseRetryAfter(text);
  if (!wait) return;
  REQUIRE(wait->count() >= 0 && wait->count() < 1'000'000);
  REQUIRE(count && *count == static_cast<uint64_t>(wait->count()));
}

void CheckDate(std::string_view text) {
  const auto time = ParseHttpDate(text);
  if (!time) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  REQUIRE(seconds == *time && days.time_since_epoch().count() >= 0);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(seconds - days);
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  REQUIRE(ParseHttpDate(fmt::format(
              "Sun, {:02} {} {:04} {:02}:{:02}:{:02} GMT", static_cast<unsigned>(date.day()),
              kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
              clock.hours().count(), clock.minutes().count(), clock.seconds().count())) == time);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgbackup;
  const std::string_view text = TextOf(data, size);
  CheckLines(text);
  // The input as one value, and the values of its lines.
  HttpHeaders headers = Taken(text);
  headers.emplace_back("all", text);
  for (const auto& [name, value] : headers) {
    CheckContentRange(value);
    CheckCounts(value);
    CheckDate(value);
  }
  return 0;
}
