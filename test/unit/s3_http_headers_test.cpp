#include "core/http/http_headers.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

using std::chrono::seconds;

HttpHeaders HeadersOf(std::initializer_list<std::string_view> lines) {
  HttpHeaders headers;
  for (const std::string_view line : lines) TakeHeaderLine(line, &headers);
  return headers;
}

TEST(HttpHeaders, KeepsNamesInLowerCaseAndValuesWithoutBlanks) {
  EXPECT_EQ(HeadersOf({"HTTP/1.1 200 OK\r\n", "ETag: \"a B\" \r\n", "x-empty:\r\n", "X-Colon:a:b\n",
                       "Tab:\t1 \t\r\n", "\r\n"}),
            (HttpHeaders{{"etag", "\"a B\""}, {"x-empty", ""}, {"x-colon", "a:b"}, {"tab", "1"}}));
}

TEST(HttpHeaders, ANewAnswerBeginsWithoutTheHeadersOfTheOneBefore) {
  EXPECT_EQ(
      HeadersOf({"HTTP/1.1 100 Continue\r\n", "x-old: 1\r\n", "HTTP/1.1 200 OK\r\n", "x: 2\r\n"}),
      (HttpHeaders{{"x", "2"}}));
}

TEST(HttpHeaders, LeavesOutWhatIsNoHeader) {
  for (const std::string_view line :
       {std::string_view(""), std::string_view("no colon\r\n"), std::string_view(": nameless\r\n"),
        std::string_view("two words: x\r\n"), std::string_view("nul\0l: x", 8),
        std::string_view("h\xc3\xa4: x")})
    EXPECT_EQ(HeadersOf({line}), HttpHeaders()) << line;
}

TEST(HttpHeaders, ReadsCountsOfBytes) {
  EXPECT_EQ(ParseByteCount("0"), 0u);
  EXPECT_EQ(ParseByteCount("007"), 7u);
  EXPECT_EQ(ParseByteCount("18446744073709551615"), UINT64_MAX);
  for (const char* value :
       {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "18446744073709551616", "1,1"})
    EXPECT_EQ(ParseByteCount(value), std::nullopt) << value;
}

TEST(HttpHeaders, ReadsContentRanges) {
  using Bytes = ContentRange::Bytes;
  EXPECT_EQ(ParseContentRange("bytes 5-9/10"), (ContentRange{Bytes{5, 9}, 10}));
  EXPECT_EQ(ParseContentRange("bytes 0-0/1"), (ContentRange{Bytes{0, 0}, 1}));
  EXPECT_EQ(ParseContentRange("bytes 0-4/*"), (ContentRange{Bytes{0, 4}, std::nullopt}));
  EXPECT_EQ(ParseContentRange("bytes */123"), (ContentRange{std::nullopt, 123}));
  for (const char* value :
       {"", "bytes", "bytes ", "bytes 5-9", "bytes 9-5/10", "bytes 5-10/10", "bytes 5/10",
        "bytes -5/10", "bytes 5-/10", "bytes */*", "bytes a-b/c", "items 5-9/10", "bytes=5-9/10",
        "bytes 5-9/10 ", "bytes 5-9/10/11", "bytes 0-18446744073709551616/*"})
    EXPECT_EQ(ParseContentRange(value), std::nullopt) << value;
}

TEST(HttpHeaders, ReadsRetryAfterInSeconds) {
  EXPECT_EQ(ParseRetryAfter("0"), seconds(0));
  EXPECT_EQ(ParseRetryAfter("120"), seconds(120));
  for (const char* value : {"", "-1", "1.5", "soon", "Fri, 07 Nov 2014 23:59:59 GMT", "99999999"})
    EXPECT_EQ(ParseRetryAfter(value), std::nullopt) << value;
}

TEST(HttpHeaders, ReadsDates) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), WallTime(seconds(784111777)));
  EXPECT_EQ(ParseHttpDate("Thu, 29 Feb 2024 00:00:00 GMT"), WallTime(seconds(1709164800)));
  // Nanoseconds in 64 bits end before that.
  EXPECT_GT(ParseHttpDate("Fri, 31 Dec 9999 23:59:59 GMT"), WallTime(seconds(9'000'000'000)));
  for (const char* value :
       {"", "now", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"})
    EXPECT_EQ(ParseHttpDate(value), std::nullopt) << value;
}

}  // namespace
}  // namespace pgbackup
