#include "shared/command_text.h"

#include <gtest/gtest.h>

#include <string>

namespace pgbackup {
namespace {

TEST(CommandText, IsAJsonArrayWithAnAbsolutePath) {
  for (const char* good :
       {R"(["/bin/true"])", R"( [ "/x" , "" , "a b" ] )", R"(["/x","\"\\\/\b\f\n\r\t","ü"])"})
    EXPECT_EQ(CommandTextError(good), nullptr) << good;
}

TEST(CommandText, AnythingElseIsRefused) {
  for (const char* bad :
       {"", "[", "[]", "/bin/true", R"(["true"])", R"([""])", R"(["/x")", R"(["/x",])",
        R"(["/x" "y"])", R"(["/x"] y)", R"(["/x",1])", R"(["/x",null])", R"(["/x)", R"(["/x\)",
        R"(["/x\u0041"])", R"(["/x\q"])", "[\"/x\n\"]", R"({"/x":1})", R"("/x")"})
    EXPECT_NE(CommandTextError(bad), nullptr) << bad;
}

TEST(CommandText, NeverReadsPastItsEnd) {
  const std::string whole = R"( ["/x", "a\"b"] )";
  for (size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_NE(CommandTextError(std::string_view(whole).substr(0, size)), nullptr) << size;
}

}  // namespace
}  // namespace pgbackup
