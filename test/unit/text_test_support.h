// Text as tests change it.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace pgbackup {

// `text` with `to` in place of the first `from`, which must be there.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

}  // namespace pgbackup
