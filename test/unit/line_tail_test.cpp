#include "core/process/line_tail.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(LineTail, JoinsPiecesOfALine) {
  LineTail tail;
  tail.Append("fir");
  tail.Append("st\nsecond");
  tail.Append(" line\n");
  EXPECT_EQ(tail.Text(), "first\nsecond line");
}

TEST(LineTail, KeepsOnlyTheLastLines) {
  LineTail tail;
  for (int i = 1; i <= 90; ++i) tail.Append("line " + std::to_string(i) + "\n");
  const std::string text = tail.Text();
  EXPECT_EQ(text.find("line 31\n"), 0u);
  EXPECT_NE(text.find("line 90"), std::string::npos);
}

TEST(LineTail, StaysSmallWhateverComes) {
  LineTail tail;
  for (int i = 0; i < 1000; ++i) tail.Append(std::string(10000, 'x'));
  EXPECT_EQ(tail.Text().size(), LineTail::kMaxLineLength);
  tail.Append("\nnext");
  EXPECT_EQ(tail.Text().size(), LineTail::kMaxLineLength + 5);
}

TEST(LineTail, BytesOfAnotherEncodingDoNotLeak) {
  LineTail tail;
  tail.Append(
      "t\xe4"
      "ble");
  EXPECT_EQ(tail.Text(),
            "t\xEF\xBF\xBD"
            "ble");
}

}  // namespace
}  // namespace pgbackup
