#include "core/base/config_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pgbackup {
namespace {

using Lines = std::vector<std::pair<int, std::string>>;

Lines LinesOf(std::string_view text) {
  Lines lines;
  ConfigLines reader(text);
  for (std::string_view line; reader.Next(&line);) lines.emplace_back(reader.number(), line);
  return lines;
}

TEST(ConfigLines, PassOverWhatIsEmptyOrAComment) {
  EXPECT_EQ(LinesOf("# first\n\n  url = x  \n\t\n  # more\nfrom=y\n"),
            (Lines{{3, "url = x"}, {6, "from=y"}}));
}

TEST(ConfigLines, EndWithOrWithoutALineEnd) {
  EXPECT_EQ(LinesOf("a\nb"), (Lines{{1, "a"}, {2, "b"}}));
  EXPECT_EQ(LinesOf("a\r\nb\r\n"), (Lines{{1, "a"}, {2, "b"}}));
}

TEST(ConfigLines, AreNoneInAFileOfComments) {
  EXPECT_EQ(LinesOf(""), Lines{});
  EXPECT_EQ(LinesOf("\n\n"), Lines{});
  EXPECT_EQ(LinesOf("# only"), Lines{});
}

TEST(ConfigLines, KeepAHashWithinALine) {
  EXPECT_EQ(LinesOf("https://example.com/#x"), (Lines{{1, "https://example.com/#x"}}));
}

}  // namespace
}  // namespace pgbackup
