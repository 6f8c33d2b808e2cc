// Text without the blanks around it.
#pragma once

#include <string_view>

namespace pgbackup {

// Without blanks (space, tab, CR, LF) at its ends.
constexpr std::string_view TrimBlanks(std::string_view text) noexcept {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Without spaces at its ends; other blanks stay.
constexpr std::string_view TrimSpaces(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace pgbackup
