// Read by clang-tidy before every unit test, never compiled: a failed expectation ends the test.
//
// GoogleTest goes on after a failed EXPECT, so each of them doubles the ways through a test;
// without those on which it has failed already the static analyzer has fewer to follow.
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
