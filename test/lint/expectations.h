// Read by clang-tidy before every unit test, never compiled: a failed expectation ends the test.
//
// GoogleTest goes on after a failed EXPECT, so n of them have 2^n paths, and the static analyzer uses
// up its limit among those on which the test has failed already. So it follows the one that matters.
#pragma once

#include <gtest/gtest.h>

namespace pgbackup::lint {

struct End {
  [[noreturn]] End();
  template <typename T>
  End& operator<<(const T&);
};
struct Told {
  void operator=(const End&) const;
};

}  // namespace pgbackup::lint

#undef GTEST_MESSAGE_AT_
#define GTEST_MESSAGE_AT_(file, line, message, result_type) \
  ::pgbackup::lint::Told() = ::pgbackup::lint::End() << (message)
