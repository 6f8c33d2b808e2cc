// The header lines of an HTTP answer, and those values of them that we read.
//
// Strict: a value is nullopt unless it is all the specification's form (RFC 9110, the section is
// named with each), because half a number is worse than none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/environment.h"
#include "core/http/http.h"

namespace pgbackup {

// Adds one line as libcurl hands it over to `headers`: the name in lower case, the value without
// blanks at its ends. A status line begins a new answer, so that what "100 Continue" brought is
// gone. What is no header ("name: value", section 5.1) is left out.
void TakeHeaderLine(std::string_view line, HttpHeaders* headers);

// Content-Length (section 8.6), and any other count of bytes: digits alone.
std::optional<uint64_t> ParseByteCount(std::string_view value) noexcept;

// Content-Range (section 14.4) in bytes.
struct ContentRange {
  struct Bytes {
    uint64_t first = 0;
    uint64_t last = 0;  // of the same range, at least `first`
    bool operator==(const Bytes&) const = default;
  };
  std::optional<Bytes> bytes;    // absent in "bytes */10", which says that nothing matched
  std::optional<uint64_t> size;  // of the whole object; absent in "bytes 0-4/*"
  bool operator==(const ContentRange&) const = default;
};
std::optional<ContentRange> ParseContentRange(std::string_view value) noexcept;

// Retry-After (section 10.2.3) in seconds, less than a million; its date form is nullopt.
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value) noexcept;

// Date (section 5.6.7) in the form that everybody sends, "Sun, 06 Nov 1994 08:49:37 GMT". The day
// of the week is not looked at.
std::optional<WallTime> ParseHttpDate(std::string_view value) noexcept;

}  // namespace pgbackup
