#include "cli/printable.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "cli/console.h"
#include "cli/table.h"

namespace pgbackup {
namespace {

TEST(Printable, NothingSteersATerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\x07\x7f\rc"), "a?[31mb???c");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m\xc2\x80"),
            "?31m?")
      << "C1 in UTF-8";
  EXPECT_EQ(Printable("\x9b"
                      "31m"),
            "\xef\xbf\xbd"
            "31m")
      << "C1 as a byte";
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "fdp.exe\xe2\x81\xa6\xd8\x9c"),
            "?fdp.exe??");
  EXPECT_EQ(Printable(std::string("a\0b", 3)),
            "a\xef\xbf\xbd"
            "b");
}

TEST(Printable, WhatPeopleWriteStays) {
  const std::string text = "größe 数据 🐘 \"x\"\n\tnext";
  EXPECT_EQ(Printable(text), text);
  EXPECT_EQ(PrintableInLine(text), "größe 数据 🐘 \"x\"  next");
}

TEST(Printable, JsonStaysTheSameValue) {
  const boost::json::value value(
      boost::json::string("a\x1b\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81 größe"));
  const std::string shown = PrintableJson(boost::json::serialize(value));
  EXPECT_EQ(shown, "\"a\\u001b\\u007f\\u009b\\u202e\\udb40\\udc41 größe\"");
  EXPECT_EQ(boost::json::parse(shown), value);
}

TEST(Printable, EveryWayToPrintUsesIt) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  PrintLine("\x1b]0;x\x07");
  PrintText("\xc2\x9b");
  PrintJson(boost::json::string("\x7f"));
  PrintRemark("\x1b[2J");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "?]0;x?\n?\"\\u007f\"\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pgbackup: ?[2J\n");
  const Table table{{"A", "B"}, {{"x\ny\tz", "\x1b[1m"}}};
  EXPECT_EQ(TableText(table, false), "x y z\t?[1m\n");
  EXPECT_EQ(TableText(table, true), "A      B\nx y z  ?[1m\n");
}

}  // namespace
}  // namespace pgbackup
