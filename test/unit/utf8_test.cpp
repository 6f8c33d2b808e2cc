#include "core/base/utf8.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

TEST(ToValidUtf8, LeavesWellFormedTextAlone) {
  const std::string text = "a \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBF";
  EXPECT_EQ(ToValidUtf8(text), text);
}

TEST(ToValidUtf8, ReplacesEveryByteThatIsNotPartOfACharacter) {
  EXPECT_EQ(ToValidUtf8("a\xE4z"), std::string("a") + kReplacement + "z");
  EXPECT_EQ(ToValidUtf8("\xC3"), kReplacement);                                  // cut
  EXPECT_EQ(ToValidUtf8("\xC0\x80"), std::string(kReplacement) + kReplacement);  // overlong
  std::string three = kReplacement;
  three = three + three + three;
  EXPECT_EQ(ToValidUtf8("\xED\xA0\x80"), three);                     // a surrogate
  EXPECT_EQ(ToValidUtf8("\xF4\x90\x80\x80"), three + kReplacement);  // above U+10FFFF
}

TEST(ToValidUtf8, ReplacesNul) {
  EXPECT_EQ(ToValidUtf8(std::string_view("a\0b", 3)), std::string("a") + kReplacement + "b");
}

TEST(CutUtf8, NeverCutsACharacter) {
  EXPECT_EQ(CutUtf8("abc", 5), "abc");
  EXPECT_EQ(CutUtf8("abc", 2), "ab");
  EXPECT_EQ(CutUtf8("a\xC3\xA4", 2), "a");
  EXPECT_EQ(CutUtf8("a\xC3\xA4z", 3), "a\xC3\xA4");
  EXPECT_EQ(CutUtf8("\xF0\x9F\x98\x80", 3), "");
}

}  // namespace
}  // namespace pgbackup
